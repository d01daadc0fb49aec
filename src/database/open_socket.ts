import net from "node:net";
import tls from "node:tls";
import { PgsluiceError } from "../pgsluice_error.ts";
import type { TlsSettings } from "./tls_files.ts";
import { isSignedByFile } from "./signed_by_file.ts";
import { tlsError } from "./tls_error.ts";

/** The message that asks a server for TLS: its length, then 80877103. */
const SSL_REQUEST = Uint8Array.of(0, 0, 0, 8, 4, 210, 22, 47);
const YES = 0x53; // "S"

export interface SocketOptions {
  /** A name or address, or the folder of a unix socket, which begins with `/`. */
  readonly host: string;
  readonly port: number;
  /** Means nothing on a unix socket. */
  readonly tls: TlsSettings;
  readonly timeoutMs: number;
}

/**
 * Opens a socket to a PostgreSQL server, with TLS where asked, and without Nagle's algorithm,
 * which costs a small COPY transaction over TCP two delayed acknowledgements (90 ms).
 *
 * @throws {Error} With the `code` of the operating system, `CONNECT_TIMEOUT` or
 * `CONNECTION_CLOSED`.
 * @throws {PgsluiceError} `database-tls`.
 */
export async function openSocket(options: SocketOptions): Promise<net.Socket> {
  const { host, port } = options;
  const plain = host.startsWith("/")
    ? net.connect({ path: `${host}/.s.PGSQL.${port}` })
    : net.connect({ host, port });
  // An error of a socket already given up must not be an uncaught one.
  plain.on("error", () => {});
  const timer = setTimeout(() => plain.destroy(timedOut(options)), options.timeoutMs);
  try {
    await new Promise<void>((resolve, reject) => {
      plain.once("connect", resolve);
      rejectOnEnd(plain, reject);
    });
    if (host.startsWith("/")) return plain;
    plain.setNoDelay(true);
    if (options.tls.mode === "disable") return plain;
    return await addTls(plain, options);
  } catch (error) {
    plain.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function addTls(plain: net.Socket, options: SocketOptions): Promise<net.Socket> {
  const { host, tls: { mode } } = options;
  const answer = Promise.withResolvers<tls.TLSSocket | null>();
  rejectOnEnd(plain, answer.reject);
  // TLS takes over within the event: one turn later Deno reads on, and the handshake is lost.
  plain.once("data", (data: Uint8Array) => {
    try {
      answer.resolve(data[0] === YES ? tls.connect(tlsOptions(plain, options)) : null);
    } catch (error) {
      answer.reject(error);
    }
  });
  plain.write(SSL_REQUEST);
  const secure = await answer.promise;
  if (secure === null) {
    if (mode === "prefer") return plain;
    throw new PgsluiceError("database-tls", `${host} does not offer TLS`, {
      hint: `sslmode=${mode} insists on it: turn it on in the server (ssl = on), or use ` +
        "sslmode=disable on a network you trust",
    });
  }
  secure.on("error", () => {});
  try {
    await handshaken(secure, plain);
  } catch (error) {
    throw tlsError(error as Error, { host, authoritiesFile: options.tls.authoritiesFile });
  }
  if (mode === "verify-ca") requireSignedByFile(secure, options);
  return secure;
}

/** @throws {PgsluiceError} `database-tls` */
function requireSignedByFile(secure: tls.TLSSocket, { host, tls }: SocketOptions): void {
  const { raw } = secure.getPeerCertificate();
  if (isSignedByFile(raw, tls.authorities ?? "")) return;
  secure.destroy();
  throw new PgsluiceError(
    "database-tls",
    `TLS with ${host}: no authority of ${tls.authoritiesFile} is seen to have signed the ` +
      "server's certificate itself",
    {
      hint: "add the one that did to the file, also if it stands between the server and one that " +
        "is there; or use sslmode=verify-full, which looks at the name",
    },
  );
}

/**
 * Waits until the server's certificate was looked at. Deno says `secureConnect` of a bad one too,
 * and its reason is lost if something is written before the next read.
 */
function handshaken(secure: tls.TLSSocket, plain: net.Socket): Promise<void> {
  return new Promise((resolve, reject) => {
    secure.once("secureConnect", () => {
      if (Object.keys(secure.getPeerCertificate()).length > 0) resolve();
    });
    rejectOnEnd(secure, reject);
    rejectOnEnd(plain, reject);
  });
}

function tlsOptions(plain: net.Socket, options: SocketOptions): tls.ConnectionOptions {
  const { host, tls: { mode, authorities, client } } = options;
  const isVerified = mode === "verify-ca" || mode === "verify-full";
  return {
    socket: plain,
    rejectUnauthorized: isVerified,
    host, // what the certificate has to be for, if it is an address
    ...(net.isIP(host) === 0 ? { servername: host } : {}),
    ...(authorities === null ? {} : { ca: authorities }),
    ...(client === null ? {} : { cert: client.certificate, key: client.key }),
    ...(mode === "verify-ca" ? { checkServerIdentity: () => undefined } : {}),
  };
}

/** Once settled, a promise does not mind to be rejected again. */
function rejectOnEnd(socket: net.Socket, reject: (cause: Error) => void): void {
  socket.once("error", reject);
  socket.once(
    "close",
    () => reject(Object.assign(new Error("the server hung up"), { code: "CONNECTION_CLOSED" })),
  );
}

function timedOut({ host, port, timeoutMs }: SocketOptions): Error {
  return Object.assign(new Error(`${host}:${port} did not answer in ${timeoutMs / 1000} s`), {
    code: "CONNECT_TIMEOUT",
  });
}
