/** `deno task release`: makes the executables and packages of a version. */
import { makeRelease } from "./make_release.ts";
import { RELEASE_USAGE, releaseOptions } from "./release_options.ts";

if (Deno.args.some((arg) => arg === "--help" || arg === "-h")) {
  console.log(RELEASE_USAGE);
} else {
  try {
    const failed = await makeRelease(releaseOptions(Deno.args), (line) => console.error(line));
    Deno.exitCode = failed === 0 ? 0 : 1;
  } catch (error) {
    console.error(`error: ${(error as Error).message}`);
    Deno.exitCode = 1;
  }
}
