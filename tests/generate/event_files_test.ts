import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { EventFiles } from "../../src/generate/event_files.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { isCandidateName } from "../../src/source/folder_scan.ts";
import { namesIn, withFolder } from "./with_folder.ts";

const HEADER = bytesOf("a,b\n");

function bytesOf(text: string): Uint8Array {
  return new TextEncoder().encode(text);
}

function openIn(directory: string): Promise<EventFiles> {
  return EventFiles.open({ directory, stem: "events-x", header: HEADER });
}

Deno.test("EventFiles gives a file its name only when it is complete", async () => {
  await withFolder(async (folder) => {
    const files = await openIn(join(folder, "new", "events"));
    await files.write(bytesOf("1,2\n"));
    const [temporary] = namesIn(join(folder, "new", "events"));
    assertEquals(temporary, ".events-x-00000001.csv.tmp");
    assertEquals(isCandidateName(temporary!), false);
    await files.write(bytesOf("3,4\n"));
    await files.cut();
    await files.write(bytesOf("5,6\n"));
    await files.finish();
    await files.close();
    const directory = join(folder, "new", "events");
    assertEquals(namesIn(directory), ["events-x-00000001.csv", "events-x-00000002.csv"]);
    assertEquals(namesIn(directory).every(isCandidateName), true);
    assertEquals(
      namesIn(directory).map((name) => Deno.readTextFileSync(join(directory, name))),
      ["a,b\n1,2\n3,4\n", "a,b\n5,6\n"],
    );
    assertEquals(files.committedCount, 2);
    assertEquals(files.sizeBytes, 20);
  });
});

Deno.test("EventFiles leaves nothing of a file that was not finished", async () => {
  await withFolder(async (folder) => {
    const files = await openIn(folder);
    await files.write(bytesOf("1,2\n"));
    await files.close();
    await files.close();
    assertEquals(namesIn(folder), []);
  });
});

Deno.test("EventFiles refuses a folder that holds files of the same run", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "events-x-00000009.csv"), "mine");
    const error = await assertRejects(() => openIn(folder), PgsluiceError, "is there already");
    assertEquals(error.code, "events-exist");
    assertEquals(await Deno.readTextFile(join(folder, "events-x-00000009.csv")), "mine");
  });
});

Deno.test("EventFiles does not overwrite a file that came while it was writing", async () => {
  await withFolder(async (folder) => {
    const files = await openIn(folder);
    await files.write(bytesOf("1,2\n"));
    await Deno.writeTextFile(join(folder, "events-x-00000001.csv"), "mine");
    const error = await assertRejects(() => files.finish(), PgsluiceError, "is there already");
    assertEquals(error.code, "events-exist");
    await files.close();
    assertEquals(namesIn(folder), ["events-x-00000001.csv"]);
    assertEquals(await Deno.readTextFile(join(folder, "events-x-00000001.csv")), "mine");
  });
});

Deno.test("EventFiles takes over the temporary file that a kill left", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, ".events-x-00000001.csv.tmp"), "x".repeat(1000));
    const files = await openIn(folder);
    await files.write(bytesOf("1,2\n"));
    await files.finish();
    await files.close();
    assertEquals(namesIn(folder), ["events-x-00000001.csv"]);
    assertEquals(await Deno.readTextFile(join(folder, "events-x-00000001.csv")), "a,b\n1,2\n");
  });
});

Deno.test("EventFiles says which folder cannot be written, and why", async () => {
  await withFolder(async (folder) => {
    const path = join(folder, "file");
    await Deno.writeTextFile(path, "");
    for (const directory of [path, join(path, "below")]) {
      const error = await assertRejects(() => openIn(directory), PgsluiceError, directory);
      assertEquals(error.code, "folder-not-writable");
      assertStringIncludes(error.hint, "--out");
    }
  });
});

Deno.test("EventFiles says so when the folder is taken away, and leaves nothing open", async () => {
  await withFolder(async (folder) => {
    const directory = join(folder, "events");
    const files = await openIn(directory);
    await files.write(bytesOf("1,2\n"));
    await Deno.remove(directory, { recursive: true });
    await files.cut();
    const error = await assertRejects(() => files.finish(), PgsluiceError, "cannot write");
    assertEquals(error.code, "output");
    await files.close();
  });
});
