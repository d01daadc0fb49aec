import { X509Certificate } from "node:crypto";
import { PgsluiceError } from "../pgsluice_error.ts";

/** What a PEM file is for. */
export interface PemUse {
  /** libpq's name of the setting, for messages. */
  readonly setting: "sslrootcert" | "sslcert" | "sslkey";
  /** As in `the certificate authorities to trust`. */
  readonly what: string;
}

const BLOCK = /-----BEGIN ([A-Z ]+)-----[^]*?-----END \1-----/g;

/**
 * Reads the blocks of a PEM file whose label ends in `label`; what else is in it, such as the
 * parameters of a key, is left out.
 *
 * @returns at least one block
 * @throws {PgsluiceError} `database-tls`.
 */
export async function readPemFile(
  path: string,
  label: "CERTIFICATE" | "PRIVATE KEY",
  use: PemUse,
): Promise<string[]> {
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch {
    // Without its cause: that the file of a socket is missing passes by itself, this does not.
    throw pemError(`cannot read ${path}`, use);
  }
  const blocks = [...text.matchAll(BLOCK)].filter((match) => match[1]!.endsWith(label));
  if (blocks.length === 0) throw pemError(`${path} holds no ${label} in PEM`, use);
  return blocks.map(([block]) => `${block}\n`);
}

/**
 * Reads the certificates of a file. That they are whole is checked here: Deno waits for ever over
 * one that is not.
 *
 * @throws {PgsluiceError} `database-tls`.
 */
export async function readCertificates(
  path: string,
  use: PemUse,
): Promise<{ text: string; first: X509Certificate }> {
  const blocks = await readPemFile(path, "CERTIFICATE", use);
  try {
    const [first] = blocks.map((block) => new X509Certificate(block));
    return { text: blocks.join(""), first: first! };
  } catch (error) {
    throw pemError(`${path} holds a damaged certificate`, use, error);
  }
}

export function pemError(
  problem: string,
  { setting, what }: PemUse,
  cause?: unknown,
): PgsluiceError {
  return new PgsluiceError("database-tls", `${setting}: ${problem}`, {
    hint: `it is the path of a PEM file with ${what}`,
    cause,
  });
}

/** The path if something is there. */
export async function existing(path: string): Promise<string | null> {
  return await Deno.stat(path).then(() => path, () => null);
}
