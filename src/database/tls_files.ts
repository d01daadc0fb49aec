import { join } from "@std/path";
import { PgsluiceError } from "../pgsluice_error.ts";
import { type ClientCertificate, readClientCertificate } from "./client_certificate.ts";
import { existing, readCertificates } from "./pem_file.ts";
import type { ServerAddress, SslMode } from "./server_settings.ts";

/** How to speak TLS with a server. */
export interface TlsSettings {
  readonly mode: SslMode;
  /** Certificate authorities in PEM; null for those that Deno trusts by itself. */
  readonly authorities: string | null;
  /** Where they came from, for messages. */
  readonly authoritiesFile: string | null;
  /** Null if there is none. */
  readonly client: ClientCertificate | null;
}

const NO_TLS: TlsSettings = {
  mode: "disable",
  authorities: null,
  authoritiesFile: null,
  client: null,
};

/**
 * Decides how much TLS a place wants and reads the files for it, as libpq does: with authorities
 * at hand `require` is `verify-ca`, and without any no certificate can be checked.
 *
 * @param options.home The folder below which the default files are; undefined if there is none.
 * @throws {PgsluiceError} `database-tls`: a file is missing, unfit, or open to others.
 * @see https://www.postgresql.org/docs/current/libpq-ssl.html
 */
export async function readTlsFiles(
  address: ServerAddress,
  options: { host: string; home: string | undefined },
): Promise<TlsSettings> {
  const { sslRootCertificate } = address;
  const mode = address.sslMode ?? defaultMode(options.host, address.sslCertificate);
  if (mode === "disable" || options.host.startsWith("/")) return NO_TLS;
  const folder = options.home === undefined ? null : join(options.home, ".postgresql");
  const client = await readClientCertificate({
    certificate: address.sslCertificate,
    key: address.sslKey,
    folder,
  });
  if (sslRootCertificate === "system" || mode === "prefer") {
    return { mode, authorities: null, authoritiesFile: null, client };
  }
  const authoritiesFile = sslRootCertificate ??
    (folder === null ? null : await existing(join(folder, "root.crt")));
  if (authoritiesFile === null) {
    if (mode === "require") return { mode, authorities: null, authoritiesFile, client };
    throw new PgsluiceError(
      "database-tls",
      `sslmode=${mode} needs certificate authorities, and none are named`,
      {
        hint: "sslrootcert=FILE (or PGSSLROOTCERT, or ~/.postgresql/root.crt) names them in PEM; " +
          "sslrootcert=system takes those that browsers trust",
      },
    );
  }
  const authorities = await readCertificates(authoritiesFile, {
    setting: "sslrootcert",
    what: "the certificate authorities to trust",
  });
  const stricter = mode === "require" ? "verify-ca" : mode;
  return { mode: stricter, authorities: authorities.text, authoritiesFile, client };
}

/** Nobody listens in on this machine's own sockets. */
function defaultMode(host: string, sslCertificate: string | undefined): SslMode {
  const isThisMachine = /^(?:\/|localhost$|127\.|::1$)/.test(host);
  return isThisMachine && sslCertificate === undefined ? "disable" : "prefer";
}
