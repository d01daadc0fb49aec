import { join } from "@std/path";
import config from "../../deno.json" with { type: "json" };
import { readCommit } from "../git_commit.ts";
import { compileExecutable } from "./compile_executable.ts";
import { debianPackage } from "./debian_package.ts";
import { licenseNotices } from "./license_notices.ts";
import type { ReleaseContents } from "./release_contents.ts";
import type { ReleaseOptions } from "./release_options.ts";
import { ownTarget, type ReleaseTarget } from "./release_target.ts";
import { releaseTarball } from "./release_tarball.ts";
import { readReleaseTexts } from "./release_texts.ts";
import { sourceTime } from "./source_time.ts";
import { PROJECT } from "./staged_source.ts";

type Common = Omit<ReleaseContents, "executable">;

/**
 * Makes the executables, packages, `NOTICES` (licences) and `SHA256SUMS`. A target that fails does not keep the others
 * from being made.
 *
 * @param say Told what was made, and what not.
 * @returns How many targets failed.
 * @throws if nothing can be made at all
 */
export async function makeRelease(
  options: ReleaseOptions,
  say: (line: string) => void,
): Promise<number> {
  const common = await commonContents();
  if (common.commit.endsWith("-changed")) say("the sources are not as they are in the commit");
  await Deno.mkdir(options.outputDirectory, { recursive: true });
  const names: string[] = [];
  let failed = 0;
  for (const target of options.targets) {
    try {
      names.push(...await makeTarget(target, { common, options, say }));
    } catch (error) {
      failed++;
      say(`${target.name}: not made: ${(error as Error).message}`);
    }
  }
  if (names.length > 0) {
    await Deno.writeTextFile(join(options.outputDirectory, "NOTICES"), common.notices);
    await writeSums(options.outputDirectory, ["NOTICES", ...names]);
  }
  return failed;
}

/** @returns The names of the files. */
async function makeTarget(
  target: ReleaseTarget,
  { common, options, say }: {
    common: Common;
    options: ReleaseOptions;
    say: (line: string) => void;
  },
): Promise<string[]> {
  const folder = `pgsluice-${common.version}-${target.name}`;
  const path = join(options.outputDirectory, folder);
  const runtime = options.runtimes.get(target.name);
  await compileExecutable({
    output: path,
    quiet: false,
    target,
    ...(runtime === undefined ? {} : { runtime }),
  });
  const contents = { ...common, executable: await Deno.readFile(path) };
  const hasUnit = target.debianArchitecture !== null;
  const packages: [name: string, bytes: Uint8Array<ArrayBuffer>][] = [
    [`${folder}.tar.gz`, releaseTarball(contents, { folder, hasUnit })],
  ];
  if (target.debianArchitecture !== null) {
    packages.push([
      `pgsluice_${common.version}_${target.debianArchitecture}.deb`,
      debianPackage(contents, target.debianArchitecture),
    ]);
  }
  for (const [name, bytes] of packages) {
    await Deno.writeFile(join(options.outputDirectory, name), bytes);
  }
  const isOwn = target === ownTarget();
  if (isOwn) await tryExecutable(path, contents);
  const names = [folder, ...packages.map(([name]) => name)];
  const untested = isOwn ? "" : " (untested: it cannot run on this machine)";
  say(`${target.name}: ${names.join(", ")}${untested}`);
  return names;
}

async function commonContents(): Promise<Common> {
  const commit = await readCommit(PROJECT);
  const license = await Deno.readTextFile(join(PROJECT, "LICENSE"));
  const [name, address] = [Deno.env.get("DEBFULLNAME"), Deno.env.get("DEBEMAIL")];
  return {
    version: config.version,
    commit: commit?.name ?? "unknown",
    epochSeconds: sourceTime(commit),
    maintainer: `${name || "The pgsluice authors"} <${address || "pgsluice@localhost"}>`,
    readme: await Deno.readTextFile(join(PROJECT, "README.md")),
    license,
    notices: await licenseNotices(license),
    texts: await readReleaseTexts(),
  };
}

async function tryExecutable(path: string, { commit }: ReleaseContents): Promise<void> {
  const { success, stdout } = await new Deno.Command(await Deno.realPath(path), {
    args: ["--version"],
  }).output();
  if (success && new TextDecoder().decode(stdout).startsWith("pgsluice ")) return;
  throw new Error(`the executable of ${commit} does not run`);
}

async function writeSums(directory: string, names: readonly string[]): Promise<void> {
  let text = "";
  for (const name of [...names].sort()) {
    const bytes = await Deno.readFile(join(directory, name));
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
    text += `${digest.toHex()}  ${name}\n`;
  }
  await Deno.writeTextFile(join(directory, "SHA256SUMS"), text);
}
