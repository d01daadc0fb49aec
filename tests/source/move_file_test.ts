import { assertEquals, assertRejects } from "@std/assert";
import { join } from "@std/path";
import { moveToFreeName } from "../../src/source/move_file.ts";

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir();
  try {
    await Deno.writeTextFile(join(folder, "a"), "mine");
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("a file is moved to a free name, whose folders are made", async () => {
  await withFolder(async (folder) => {
    await moveToFreeName(join(folder, "a"), { to: join(folder, "b/c/d") });
    assertEquals(await Deno.readTextFile(join(folder, "b/c/d")), "mine");
    await assertRejects(() => Deno.lstat(join(folder, "a")), Deno.errors.NotFound);
  });
});

Deno.test("a name that is taken is never moved to, not even an empty file's", async () => {
  for (const content of ["theirs", ""]) {
    await withFolder(async (folder) => {
      const to = join(folder, "b");
      await Deno.writeTextFile(to, content);
      await assertRejects(
        () => moveToFreeName(join(folder, "a"), { to }),
        Deno.errors.AlreadyExists,
      );
      assertEquals(await Deno.readTextFile(to), content);
      assertEquals(await Deno.readTextFile(join(folder, "a")), "mine");
    });
  }
});

Deno.test("a move that fails leaves no empty file behind", async () => {
  await withFolder(async (folder) => {
    const to = join(folder, "b");
    await assertRejects(() => moveToFreeName(join(folder, "gone"), { to }), Deno.errors.NotFound);
    await assertRejects(
      () =>
        moveToFreeName(join(folder, "a"), {
          to,
          beforeMove: () => {
            throw new Error("no");
          },
        }),
      Error,
      "no",
    );
    assertEquals([...Deno.readDirSync(folder)].map(({ name }) => name), ["a"]);
  });
});
