import { EXIT, PgsluiceError } from "../pgsluice_error.ts";

/**
 * A pipeline's service is named after it. Names that systemd would have to escape are refused: the
 * same name is then that of the unit, the pipeline, its configuration and its folders. So are long
 * ones: the path of an embedded server's socket is made of it, and would be one in the service's
 * own `/tmp`, where nobody else reaches it.
 *
 * @returns the name
 * @throws {PgsluiceError} `usage`
 */
export function refuseUnnameable(pipeline: string): string {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.-]{0,49}$/.test(pipeline)) return pipeline;
  throw new PgsluiceError(
    "usage",
    `--pipeline ${JSON.stringify(pipeline)} cannot be the name of a service`,
    {
      hint: "use up to 50 of A-Z, a-z, 0-9, . - _ , beginning with a letter or digit",
      exitCode: EXIT.usage,
    },
  );
}

/** As in `pgsluice@shop.service`. */
export function unitOf(pipeline: string): string {
  return `pgsluice@${pipeline}.service`;
}
