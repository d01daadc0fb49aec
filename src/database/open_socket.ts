import net from "node:net";
import tls from "node:tls";
import { PgsluiceError } from "../pgsluice_error.ts";
import type { SslMode } from "./server_url.ts";

/** The message that asks a server for TLS: its length, then 80877103. */
const SSL_REQUEST = Uint8Array.of(0, 0, 0, 8, 4, 210, 22, 47);
const YES = 0x53; // "S"

export interface SocketOptions {
  /** A name or address, or the folder of a unix socket, which begins with `/`. */
  readonly host: string;
  readonly port: number;
  /** Means nothing on a unix socket. */
  readonly sslMode: SslMode;
  /** In PEM; those of the system unless given. */
  readonly certificateAuthorities?: string | undefined;
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
    if (options.sslMode === "disable") return plain;
    return await addTls(plain, options);
  } catch (error) {
    plain.destroy();
    throw error;
  } finally {
    clearTimeout(timer);
  }
}

async function addTls(plain: net.Socket, options: SocketOptions): Promise<net.Socket> {
  const answer = Promise.withResolvers<tls.TLSSocket | null>();
  rejectOnEnd(plain, answer.reject);
  // TLS takes over within the event: one turn later Deno reads on, and the handshake is lost.
  plain.once("data", (data: Uint8Array) => {
    answer.resolve(data[0] === YES ? tls.connect(tlsOptions(plain, options)) : null);
  });
  plain.write(SSL_REQUEST);
  const secure = await answer.promise;
  if (secure === null) {
    if (options.sslMode === "prefer") return plain;
    throw new PgsluiceError("database-tls", `${options.host} does not offer TLS`, {
      hint: `sslmode=${options.sslMode} insists on it: turn it on in the server (ssl = on), or ` +
        "use sslmode=disable on a network you trust",
    });
  }
  secure.on("error", () => {});
  // Deno says so before the certificate is looked at; a bad one is an error a moment later, and
  // nothing written meanwhile leaves this machine.
  await new Promise<void>((resolve, reject) => {
    secure.once("secureConnect", resolve);
    rejectOnEnd(secure, reject);
    rejectOnEnd(plain, reject);
  });
  return secure;
}

function tlsOptions(plain: net.Socket, options: SocketOptions): tls.ConnectionOptions {
  return {
    socket: plain,
    rejectUnauthorized: options.sslMode === "verify-ca" || options.sslMode === "verify-full",
    host: options.host, // what the certificate has to be for, if it is an address
    ...(net.isIP(options.host) === 0 ? { servername: options.host } : {}),
    ...(options.certificateAuthorities === undefined ? {} : { ca: options.certificateAuthorities }),
    ...(options.sslMode === "verify-ca" ? { checkServerIdentity: () => undefined } : {}),
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
