/** `deno task compile`: makes `./pgsluice`, and says what is in it. */
import { compileExecutable } from "./compile_executable.ts";
import { executableParts, LINUX_BUDGET_BYTES, sizeText } from "./executable_size.ts";
import { ownTarget } from "./release_target.ts";

const output = "pgsluice";
await compileExecutable({ output, quiet: false });
if (ownTarget() !== null && Deno.build.os === "linux") {
  const text = sizeText(await executableParts(output), LINUX_BUDGET_BYTES);
  await Deno.stdout.write(new TextEncoder().encode(text));
  const { size } = await Deno.stat(output);
  if (size > LINUX_BUDGET_BYTES) throw new Error("the executable is over its budget");
}
