import { PgsluiceError } from "../pgsluice_error.ts";
import { connectionLost } from "./connection_lost.ts";

interface Reason {
  /** Of the words of Deno's TLS. */
  readonly pattern: RegExp;
  readonly reason: string;
  readonly hint: string;
}

const OTHER_HINT = "sslrootcert=FILE names the certificate authority to trust; sslmode=require " +
  "without one trusts whoever answers";
const OWN_HINT = "sslcert and sslkey name a certificate and its key that an authority of the " +
  "server's ssl_ca_file has signed";

const REASONS: readonly Reason[] = [
  {
    pattern: /UnknownIssuer|BadSignature/,
    reason: "no authority that is trusted has signed the server's certificate",
    hint: "name the one that did with sslrootcert=FILE",
  },
  {
    pattern: /not valid for (?:any )?name/i,
    reason: "the server's certificate is for another name",
    hint:
      "connect by a name that stands in it as subjectAltName, or have it signed for this one; " +
      "sslmode=verify-ca does not look at the name",
  },
  {
    pattern: /\bexpired\b/i,
    reason: "the server's certificate has expired",
    hint: "renew it, and compare the clocks of the two machines",
  },
  {
    pattern: /not valid yet|NotValidYet/i,
    reason: "the server's certificate is not valid yet",
    hint: "compare the clocks of the two machines",
  },
  {
    pattern: /UnsupportedCertVersion/,
    reason: "the server's certificate is of X.509 version 1, which is not taken",
    hint: "sign it again with a subjectAltName (openssl x509 -extfile), which makes it version 3",
  },
  {
    pattern: /CaUsedAsEndEntity/,
    reason: "the server's certificate is that of an authority (CA:TRUE), which is not taken",
    hint: "sign one for the server with it, or make it with basicConstraints=CA:FALSE",
  },
  { pattern: /fatal alert/i, reason: "the server refused the client's side of it", hint: OWN_HINT },
  {
    pattern: /incompatible|corrupt message|handshake/i,
    reason: "the two sides have no way of TLS in common",
    hint: "the server needs TLS 1.2 or later (ssl_min_protocol_version)",
  },
  { pattern: /certificate/i, reason: "the server's certificate does not hold", hint: OTHER_HINT },
];

/**
 * What ended a TLS connection, for people: an error to stop at if it is about certificates, else
 * one of a lost connection.
 *
 * @param options.authoritiesFile Names it in the hint.
 */
export function tlsError(
  cause: Error,
  options: { host: string; authoritiesFile?: string | null },
): Error {
  // the server went away in between
  const isCut = /\beof\b|reset|broken pipe/i.test(cause.message);
  const found = isCut ? undefined : REASONS.find(({ pattern }) => pattern.test(cause.message));
  if (found === undefined) {
    return "code" in cause && cause.code !== "UNKNOWN"
      ? cause
      : connectionLost(`the connection broke: ${cause.message}`, cause);
  }
  const { reason, hint } = found;
  const { authoritiesFile: file } = options;
  const words = cause.cause instanceof Error ? cause.cause.message : cause.message;
  // Without its cause, which may look like a connection that is worth another try.
  return new PgsluiceError("database-tls", `TLS with ${options.host}: ${reason}: ${words}`, {
    hint: file == null || !/sslrootcert=FILE/.test(hint) ? hint : `${hint}; now it is ${file}`,
  });
}
