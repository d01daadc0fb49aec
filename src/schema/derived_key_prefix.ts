import { createHash } from "node:crypto";

/** The part of a derived key that tells files and generations apart, as `DerivedKey` takes it. */
export function derivedKeyPrefix(
  pipelineName: string,
  file: { readonly path: string; readonly generation: number },
): Uint8Array {
  return createHash("sha256")
    .update(JSON.stringify([pipelineName, file.path, file.generation]))
    .digest();
}
