import { assertEquals, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { releaseTarball } from "../../src/compile/release_tarball.ts";
import { tarArchive } from "../../src/compile/tar_archive.ts";
import { outputOf, releaseContents } from "./release_contents.ts";

const FOLDER = "pgsluice-1.2.3-linux-x64";

Deno.test("a tarball has the executable, unit, completions, manual and licences in one folder", async () => {
  const directory = await Deno.makeTempDir();
  try {
    const file = join(directory, "release.tar.gz");
    const bytes = releaseTarball(releaseContents(), { folder: FOLDER, hasUnit: true });
    assertEquals(bytes, releaseTarball(releaseContents(), { folder: FOLDER, hasUnit: true }));
    await Deno.writeFile(file, bytes);
    await outputOf("tar", "-xzf", file, "-C", directory);
    assertEquals((await outputOf("tar", "-tzf", file)).trim().split("\n"), [
      `${FOLDER}/`,
      `${FOLDER}/pgsluice`,
      `${FOLDER}/LICENSE`,
      `${FOLDER}/NOTICES`,
      `${FOLDER}/README.md`,
      `${FOLDER}/completions/_pgsluice`,
      `${FOLDER}/completions/pgsluice.bash`,
      `${FOLDER}/completions/pgsluice.fish`,
      `${FOLDER}/pgsluice.1`,
      `${FOLDER}/pgsluice@.service`,
      `${FOLDER}/sysusers.d/pgsluice.conf`,
    ]);
    assertEquals(await outputOf(join(directory, FOLDER, "pgsluice")), "pgsluice 1.2.3\n");
    const unit = join(directory, FOLDER, "pgsluice@.service");
    assertEquals(
      await Deno.readTextFile(unit),
      "[Service]\nExecStart=/usr/local/bin/pgsluice ingest\n",
    );
    assertEquals((await Deno.stat(unit)).mtime, new Date("2025-11-26T12:00:00Z"));
  } finally {
    await Deno.remove(directory, { recursive: true });
  }
});

Deno.test("a tarball for a platform without systemd has no unit", async () => {
  const file = await Deno.makeTempFile();
  try {
    const tarball = releaseTarball(releaseContents(), { folder: FOLDER, hasUnit: false });
    await Deno.writeFile(file, tarball);
    assertEquals(/service|sysusers/.test(await outputOf("tar", "-tzf", file)), false);
  } finally {
    await Deno.remove(file);
  }
});

Deno.test("a path that no archive can hold is refused", () => {
  const path = "x".repeat(100);
  assertThrows(() => tarArchive([{ path, content: "", mode: 0o644 }], 0), Error, "too long");
});
