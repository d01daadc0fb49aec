import type { ReleaseContents } from "../../src/compile/release_contents.ts";

/** Of a small program that says what it is. */
export function releaseContents(version = "1.2.3"): ReleaseContents {
  return {
    executable: new TextEncoder().encode(`#!/bin/sh\necho pgsluice ${version}\n`),
    version,
    commit: "7700ca2d1c3e",
    epochSeconds: 1_764_158_400, // 2025-11-26 12:00 UTC
    maintainer: "The pgsluice authors <pgsluice@localhost>",
    readme: "# pgsluice\n",
    license: "MIT License\n",
    notices: "the licences of all parts\n",
    texts: {
      unit: (executable) => `[Service]\nExecStart=${executable} ingest\n`,
      sysusers: "u pgsluice -\n",
      completions: { bash: "# bash\n", zsh: "#compdef pgsluice\n", fish: "# fish\n" },
      man: ".TH pgsluice 1\n",
    },
  };
}

/** What a program prints; fails unless it succeeds. */
export async function outputOf(program: string, ...args: string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(program, { args }).output();
  const decoder = new TextDecoder();
  if (!success) throw new Error(`${program} ${args.join(" ")}: ${decoder.decode(stderr)}`);
  return decoder.decode(stdout);
}
