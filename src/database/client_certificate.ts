import { createPrivateKey, type KeyObject } from "node:crypto";
import { join } from "@std/path";
import { PgsluiceError } from "../pgsluice_error.ts";
import { existing, pemError, type PemUse, readCertificates, readPemFile } from "./pem_file.ts";

/** In PEM, what a client proves itself with. */
export interface ClientCertificate {
  /** Its own, then those of authorities in between. */
  readonly certificate: string;
  readonly key: string;
}

const CERTIFICATE: PemUse = { setting: "sslcert", what: "this client's certificate" };
const KEY: PemUse = { setting: "sslkey", what: "the private key of this client's certificate" };
const CURVES: readonly string[] = ["prime256v1", "secp384r1", "secp521r1"];
const SHORTEST_RSA_BITS = 2048;
const LONGEST_RSA_BITS = 8192;

/**
 * Reads the files that are named, or the default ones where they are; as with libpq, a key that
 * others may read is refused. All is checked here: Deno ends the process over a key that it cannot
 * use.
 *
 * @param options.folder Of the default files; null if there is none.
 * @returns null if there is no certificate
 * @throws {PgsluiceError} `database-tls`.
 */
export async function readClientCertificate(
  options: {
    certificate: string | undefined;
    key: string | undefined;
    folder: string | null;
  },
): Promise<ClientCertificate | null> {
  const { folder } = options;
  const path = options.certificate ??
    (folder === null ? null : await existing(join(folder, "postgresql.crt")));
  if (path === null) return null;
  const keyPath = options.key ??
    (folder === null ? null : await existing(join(folder, "postgresql.key")));
  if (keyPath === null) {
    throw new PgsluiceError("database-tls", `sslcert: there is ${path}, and no key for it`, {
      hint: "sslkey=FILE (or PGSSLKEY, or ~/.postgresql/postgresql.key) names its key in PEM",
    });
  }
  const certificate = await readCertificates(path, CERTIFICATE);
  const { key, text } = await readKey(keyPath);
  if (!certificate.first.checkPrivateKey(key)) {
    throw pemError(`the key in ${keyPath} is not that of the certificate in ${path}`, KEY);
  }
  return { certificate: certificate.text, key: text };
}

async function readKey(path: string): Promise<{ key: KeyObject; text: string }> {
  const [text] = await readPemFile(path, "PRIVATE KEY", KEY);
  await refuseOpenFile(path);
  if (text!.includes("ENCRYPTED")) {
    throw new PgsluiceError("database-tls", `sslkey: the key in ${path} is encrypted`, {
      hint:
        "there is nobody to ask for its passphrase: write it without one, into a file of mode " +
        `600 (openssl pkey -in ${path} -out NEW.key)`,
    });
  }
  let key: KeyObject;
  try {
    key = createPrivateKey(text!);
  } catch (error) {
    throw pemError(`${path} holds a damaged key`, KEY, error);
  }
  if (isUsable(key)) return { key, text: text! };
  throw new PgsluiceError(
    "database-tls",
    `sslkey: the key in ${path} is of a kind not taken here`,
    {
      hint:
        `make one of ECDSA (P-256, P-384, P-521), Ed25519 or RSA (from ${SHORTEST_RSA_BITS} bits)`,
    },
  );
}

async function refuseOpenFile(path: string): Promise<void> {
  const { mode, uid } = await Deno.stat(path);
  // A key of root's may be for a group, such as that of a service.
  if (((mode ?? 0) & (uid === 0 ? 0o037 : 0o077)) === 0) return;
  throw new PgsluiceError("database-tls", `sslkey: others than its owner may use ${path}`, {
    hint: `chmod 600 ${path} (640 if root owns it)`,
  });
}

function isUsable({ asymmetricKeyType: type, asymmetricKeyDetails: details }: KeyObject): boolean {
  if (type === "ed25519") return true;
  if (type === "ec") return CURVES.includes(details?.namedCurve ?? "");
  const bits = details?.modulusLength ?? 0;
  return type === "rsa" && bits >= SHORTEST_RSA_BITS && bits <= LONGEST_RSA_BITS;
}
