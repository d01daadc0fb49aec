import { assertEquals, assertMatch } from "@std/assert";
import { fromFileUrl, join } from "@std/path";
import config from "../../deno.json" with { type: "json" };
import { readCommit } from "../../src/git_commit.ts";
import { VERSION, versionText } from "../../src/version.ts";
import { outputOf } from "./release_contents.ts";

const ROOT = fromFileUrl(new URL("../..", import.meta.url)).replace(/\/$/, "");

Deno.test("--version names what runs, a line for each part", async () => {
  const commit = (await readCommit(ROOT))?.name ?? "unknown";
  assertMatch(
    await versionText(),
    new RegExp(
      `^pgsluice ${config.version}\ncommit ${commit}\nPostgreSQL (?:18\\.\\d+|none .*)\n` +
        `postgres\\.js 3\\.\\d+\\.\\d+\nDeno \\d+\\.\\d+\\.\\d+\nV8 \\d+\\..*\n$`,
    ),
  );
  assertEquals(VERSION.commit, null);
});

Deno.test("a commit says whether the sources are as they are in it", async () => {
  const folder = await Deno.makeTempDir();
  try {
    const git = (...args: string[]) =>
      outputOf("git", "-C", folder, "-c", "user.name=x", "-c", "user.email=x@localhost", ...args);
    assertEquals(await readCommit(folder), null);
    await git("init", "--quiet");
    assertEquals(await readCommit(folder), null);
    await Deno.writeTextFile(join(folder, "a"), "1");
    await git("add", "a");
    await git("commit", "--quiet", "--message", "one", "--date", "2025-11-26T12:00:00Z");
    const commit = await readCommit(folder);
    const id = (await git("rev-parse", "HEAD")).trim();
    assertEquals(commit?.name, id);
    assertEquals(commit?.epochSeconds, Number(await git("log", "-1", "--format=%ct")));
    await Deno.writeTextFile(join(folder, "a"), "2");
    assertEquals((await readCommit(folder))?.name, `${id}-changed`);
    await Deno.mkdir(join(folder, "below"));
    assertEquals(await readCommit(join(folder, "below")), null);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
