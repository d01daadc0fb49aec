import { parseArgs } from "@std/cli/parse-args";
import { RELEASE_TARGETS, type ReleaseTarget } from "./release_target.ts";

export interface ReleaseOptions {
  readonly targets: readonly ReleaseTarget[];
  /** Where the files go. */
  readonly outputDirectory: string;
  /** Files to use as the runtime, by the target's name. */
  readonly runtimes: ReadonlyMap<string, string>;
}

export const RELEASE_USAGE =
  `usage: deno task release [--target NAME]... [--runtime NAME=FILE]... [--out DIR]

  --target NAME        ${RELEASE_TARGETS.map(({ name }) => name).join(", ")}; all unless given
  --runtime NAME=FILE  Deno's runtime for that target, which is fetched otherwise
  --out DIR            where the packages go (default: .release)
`;

/** @throws {Error} for people, if the arguments are not understood */
export function releaseOptions(args: readonly string[]): ReleaseOptions {
  const parsed = parseArgs([...args], {
    string: ["target", "runtime", "out"],
    collect: ["target", "runtime"],
    unknown: (arg: string) => {
      throw new Error(`${JSON.stringify(arg)} is not known\n\n${RELEASE_USAGE}`);
    },
  });
  const targets = [...new Set(parsed.target as string[])].map(findTarget);
  const runtimes = new Map((parsed.runtime as string[]).map((text) => {
    const equals = text.indexOf("=");
    if (equals < 1) throw new Error(`--runtime ${text} is not NAME=FILE\n\n${RELEASE_USAGE}`);
    return [findTarget(text.slice(0, equals)).name, text.slice(equals + 1)];
  }));
  return {
    targets: targets.length === 0 ? RELEASE_TARGETS : targets,
    outputDirectory: (parsed.out as string | undefined) || ".release",
    runtimes,
  };
}

function findTarget(name: string): ReleaseTarget {
  const found = RELEASE_TARGETS.find((target) => target.name === name);
  if (found === undefined) throw new Error(`no target ${JSON.stringify(name)}\n\n${RELEASE_USAGE}`);
  return found;
}
