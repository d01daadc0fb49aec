/** `deno task compile`: makes `./pgsluice`. */
import { compileExecutable } from "./compile_executable.ts";

await compileExecutable({ main: "main.ts", output: "pgsluice", quiet: false });
