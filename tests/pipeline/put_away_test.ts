import { assert, assertEquals, assertStringIncludes } from "@std/assert";
import { basename, join } from "@std/path";
import type { AfterLoad } from "../../src/pipeline/ingest_options.ts";
import { ingestCase } from "../support/ingest_case.ts";
import {
  csvText,
  eventLine,
  eventLines,
  folderSource,
  ingestOnce,
  type IngestPlace,
  ingestWatching,
  verifyExact,
  writeEvents,
} from "../support/ingest_fixture.ts";
import { keylessCsv, keylessLines } from "../support/keyless_csv.ts";
import { ledgerFile, ledgerFiles, rowCount } from "../support/ledger_files.ts";
import { until } from "../support/until.ts";

async function archiveIn(place: IngestPlace): Promise<AfterLoad & { kind: "archive" }> {
  const directory = join(place.home, "archive");
  await Deno.mkdir(directory, { recursive: true });
  return { kind: "archive", directory };
}

async function once(place: IngestPlace, after: AfterLoad) {
  return await ingestOnce(place, { source: folderSource(place, { after, recursive: true }) });
}

/** Every file below, hidden ones too. */
async function filesBelow(directory: string, below = ""): Promise<string[]> {
  const paths: string[] = [];
  for await (const entry of Deno.readDir(join(directory, below))) {
    const path = join(below, entry.name);
    if (entry.isDirectory) paths.push(...await filesBelow(directory, path));
    else paths.push(path);
  }
  return paths.sort();
}

ingestCase("a loaded file is archived under its generation, in its sub-folder", async (place) => {
  const after = await archiveIn(place);
  await Deno.mkdir(join(place.events, "2026/03"), { recursive: true });
  await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
  await Deno.writeTextFile(join(place.events, "2026/03/b.CSV"), csvText(eventLines(10, 15)));
  await once(place, after);
  assertEquals(await filesBelow(place.events), []);
  assertEquals(await filesBelow(after.directory), ["2026/03/b.g1.CSV", "a.g1.csv"]);
  assertEquals(
    (await ledgerFiles(place)).map((file) => [file.archivedPath, file.isArchived, file.state]),
    [
      [join(after.directory, "2026/03/b.g1.CSV"), true, "done"],
      [join(after.directory, "a.g1.csv"), true, "done"],
    ],
  );
  assertEquals(
    await verifyExact(place),
    "verified: 15 events = 15 loaded + 0 rejected + 0 duplicates",
  );
  assertEquals((await once(place, after)).loaded, 0);
});

ingestCase("a loaded file is deleted, and nothing of it is left", async (place) => {
  await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
  await writeEvents(place, "empty.csv", "");
  await once(place, { kind: "delete" });
  assertEquals(await filesBelow(place.events), []);
  assertEquals(
    (await ledgerFiles(place)).map(({ isDeleted, archivedPath }) => [isDeleted, archivedPath]),
    [[true, null], [true, null]],
  );
  await verifyExact(place);
});

ingestCase("what is not loaded to its end stays in the folder", async (place) => {
  const after = await archiveIn(place);
  await writeEvents(place, "html.csv", "<!doctype html>\n");
  await writeEvents(place, "b.csv", keylessCsv(keylessLines(0, 3)));
  await ingestOnce(place);
  await writeEvents(place, "b.csv", keylessCsv(keylessLines(3, 6)));
  await once(place, after);
  assertEquals(await filesBelow(place.events), ["b.csv", "html.csv"]);
  assertEquals((await ledgerFile(place, "b.csv")).state, "held");
  assertEquals(await filesBelow(after.directory), []);
});

ingestCase("files loaded before --after was given are archived by the next run", async (place) => {
  await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
  await ingestOnce(place);
  const after = await archiveIn(place);
  await once(place, after);
  assertEquals(await filesBelow(after.directory), ["a.g1.csv"]);
  await verifyExact(place);
});

ingestCase("a name in the archive is never overwritten", async (place) => {
  const after = await archiveIn(place);
  await Deno.writeTextFile(join(after.directory, "a.g1.csv"), "somebody's");
  await Deno.writeTextFile(join(after.directory, "a.g1-2.csv"), "else's");
  await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
  await once(place, after);
  assertEquals(await filesBelow(after.directory), ["a.g1-2.csv", "a.g1-3.csv", "a.g1.csv"]);
  assertEquals(await Deno.readTextFile(join(after.directory, "a.g1.csv")), "somebody's");
  await verifyExact(place);
});

ingestCase(
  "at the path of an archived file: same bytes load nothing, other bytes are a generation more",
  async (place) => {
    const after = await archiveIn(place);
    const first = keylessCsv(keylessLines(0, 5));
    const send = async (text: string) => {
      await writeEvents(place, "a.csv", text);
      return (await once(place, after)).loaded;
    };
    assertEquals(await send(first), 5);
    assertEquals(await send(first), 0, "sent again");
    assertEquals(await send(keylessCsv(keylessLines(5, 8))), 3, "other bytes");
    assertEquals(await send(first), 0, "what an earlier generation had");
    assertEquals(await send(keylessCsv(keylessLines(0, 7))), 7, "they are no line of the last");
    assertEquals(await filesBelow(after.directory), [
      "a.g1-2.csv",
      "a.g1.csv",
      "a.g2.csv",
      "a.g3.csv",
      "a.g4.csv",
    ]);
    assertEquals((await ledgerFiles(place)).map(({ generation, state }) => [generation, state]), [
      [1, "superseded"],
      [2, "superseded"],
      [3, "superseded"],
      [4, "done"],
    ]);
    await verifyExact(place);
  },
);

ingestCase("at the path of a deleted file the same holds", async (place) => {
  const send = async (text: string) => {
    await writeEvents(place, "a.csv", text);
    return (await once(place, { kind: "delete" })).loaded;
  };
  const first = keylessCsv(keylessLines(0, 5));
  assertEquals([await send(first), await send(first)], [5, 0]);
  assertEquals(await send(keylessCsv(keylessLines(5, 8))), 3);
  assertEquals(await send(first), 0);
  assertEquals(await filesBelow(place.events), []);
  await verifyExact(place);
});

ingestCase(
  "a file that begins with what was archived is read on, and archived once more",
  async (place) => {
    const after = await archiveIn(place);
    const lines = keylessLines(0, 8);
    await writeEvents(place, "a.csv", keylessCsv(lines.slice(0, 5)));
    await once(place, after);
    await writeEvents(place, "a.csv", keylessCsv(lines));
    assertEquals((await once(place, after)).loaded, 3);
    assertEquals(await filesBelow(after.directory), ["a.g1-2.csv", "a.g1.csv"]);
    const file = await ledgerFile(place, "a.csv");
    assertEquals([file.generation, basename(file.archivedPath!)], [1, "a.g1-2.csv"]);
    await verifyExact(place);
  },
);

ingestCase("a file that is sent again slowly is not taken for another one", async (place) => {
  const after = await archiveIn(place);
  const text = keylessCsv(keylessLines(0, 5));
  await writeEvents(place, "a.csv", text);
  await once(place, after);
  const path = join(place.events, "a.csv");
  let looks = 0;
  const { heard, stop } = ingestWatching(place, {
    source: folderSource(place, { once: false, after }),
    settleMs: 3_600_000,
    probe: (point) => {
      if (point === "file.open") looks++;
    },
  });
  await heard.until(() => heard.starts === 1);
  await Deno.writeTextFile(path, text.slice(0, 100));
  await until("it was looked at", () => looks > 0);
  await Deno.writeTextFile(path, text.slice(100), { append: true });
  await stop();
  assertEquals([heard.loaded, (await once(place, after)).loaded], [0, 0]);
  assertEquals(await filesBelow(after.directory), ["a.g1-2.csv", "a.g1.csv"]);
  await verifyExact(place);
});

ingestCase("a file sent again under another name is archived too", async (place) => {
  const after = await archiveIn(place);
  await writeEvents(place, "a.csv", csvText(eventLines(0, 10)));
  await once(place, after);
  await writeEvents(place, "b.csv", csvText(eventLines(0, 10)));
  assertEquals((await once(place, after)).loaded, 0);
  assertEquals(await filesBelow(after.directory), ["a.g1.csv", "b.g1.csv"]);
  assertEquals((await ledgerFile(place, "b.csv")).state, "same");
  await verifyExact(place);
});

ingestCase("an archive folder inside the watched tree is never read", async (place) => {
  const { archiveFolder } = await import("../../src/pipeline/archive_folder.ts");
  const directory = await archiveFolder(join(place.events, "loaded"), place.events);
  await writeEvents(place, "a.csv", keylessCsv(keylessLines(0, 5)));
  const watching = ingestWatching(place, {
    source: folderSource(place, {
      once: false,
      recursive: true,
      after: { kind: "archive", directory },
    }),
    settleMs: 20,
  });
  await until("the first is archived", async () => (await filesBelow(directory)).length === 2);
  await writeEvents(place, "b.csv", keylessCsv(keylessLines(5, 10)));
  await until("the second is archived", async () => (await filesBelow(directory)).length === 3);
  await watching.stop();
  // a later run that knows nothing of the archive
  await ingestOnce(place, { source: folderSource(place, { recursive: true }) });
  assertEquals((await ledgerFiles(place)).map(({ path }) => path), ["a.csv", "b.csv"]);
  assertEquals(await rowCount(place), 10);
  await verifyExact(place);
});

ingestCase("a watched file is archived only when it was quiet for --settle", async (place) => {
  const after = await archiveIn(place);
  const path = join(place.events, "a.csv");
  await Deno.writeTextFile(path, csvText([eventLine(0)]));
  const { heard, stop } = ingestWatching(place, {
    source: folderSource(place, { once: false, after }),
    settleMs: 400,
  });
  for (let number = 1; number <= 20; number++) {
    await heard.until(() => heard.loaded === number);
    // were it archived, this would make another file
    await Deno.writeTextFile(path, eventLine(number) + "\n", { append: true, create: false });
  }
  await until("it is archived", async () => (await filesBelow(after.directory)).length === 1);
  await stop();
  assertEquals((await ledgerFile(place, "a.csv")).loaded, 21);
  await verifyExact(place);
});

ingestCase("what a slow writer adds to an archived file is loaded", async (place) => {
  const after = await archiveIn(place);
  const path = join(place.events, "a.csv");
  await Deno.writeTextFile(path, keylessCsv(keylessLines(0, 5)));
  using writer = await Deno.open(path, { append: true });
  await once(place, after);
  assertEquals(await filesBelow(place.events), []);
  await writer.write(new TextEncoder().encode(keylessLines(5, 7).join("\n") + "\n"));
  const heard = await once(place, after);
  assertEquals(heard.loaded, 2);
  assertEquals(await filesBelow(after.directory), ["a.g1.csv"]);
  assertEquals((await ledgerFile(place, "a.csv")).loaded, 7);
  await verifyExact(place);
});

ingestCase(
  "growth that cannot be moved back because the name is taken is said, and kept",
  async (place) => {
    const after = await archiveIn(place);
    const path = join(place.events, "a.csv");
    await Deno.writeTextFile(path, keylessCsv(keylessLines(0, 5)));
    await once(place, after);
    const archived = join(after.directory, "a.g1.csv");
    const text = keylessLines(5, 7).join("\n") + "\n";
    await Deno.writeTextFile(archived, text, { append: true });
    await writeEvents(place, "a.csv", keylessCsv(keylessLines(7, 9)));
    const heard = await once(place, after);
    assertEquals(heard.loaded, 2);
    assertStringIncludes(heard.troubles[0]!.reason, `what ${archived} has beyond byte`);
    assertStringIncludes(await Deno.readTextFile(archived), text);
    await verifyExact(place);
  },
);

ingestCase("a file that grows at the moment it is moved is read to its end", async (place) => {
  for (const after of [await archiveIn(place), { kind: "delete" as const }]) {
    const name = `${after.kind}.csv`;
    const path = join(place.events, name);
    const lines = keylessLines(0, 7, after.kind === "delete" ? "2.00" : "1.00");
    await Deno.writeTextFile(path, keylessCsv(lines.slice(0, 5)));
    let isDone = false;
    const heard = await ingestOnce(place, {
      source: folderSource(place, { after }),
      probe: (point) => {
        if (point !== "file.move" || isDone) return;
        isDone = true;
        Deno.writeTextFileSync(path, lines.slice(5).join("\n") + "\n", { append: true });
      },
    });
    assert(isDone);
    assertEquals(heard.loaded, 5);
    assertEquals(await filesBelow(place.events), [name], "it was moved back");
    assertEquals((await once(place, after)).loaded, 2);
    assertEquals(await filesBelow(place.events), []);
    await verifyExact(place);
  }
});

ingestCase("a file that is replaced at the moment it is moved is loaded as well", async (place) => {
  for (const after of [await archiveIn(place), { kind: "delete" as const }]) {
    const name = `${after.kind}.csv`;
    const price = after.kind === "delete" ? "2.00" : "1.00";
    await writeEvents(place, name, keylessCsv(keylessLines(0, 5, price)));
    let isDone = false;
    await ingestOnce(place, {
      source: folderSource(place, { after, onReplaced: "add" }),
      probe: (point) => {
        if (point !== "file.move" || isDone) return;
        isDone = true;
        const temporary = join(place.home, "next");
        Deno.writeTextFileSync(temporary, keylessCsv(keylessLines(5, 8, price)));
        Deno.renameSync(temporary, join(place.events, name));
      },
    });
    assertEquals(await filesBelow(place.events), [name]);
    const heard = await ingestOnce(place, {
      source: folderSource(place, { after, onReplaced: "add" }),
    });
    assertEquals(heard.loaded, 3);
    assertEquals(await filesBelow(place.events), []);
  }
  assertEquals(await rowCount(place), 16);
  await verifyExact(place);
});

ingestCase(
  "an operation of a move that fails leaves the file where it can be found",
  async (place) => {
    let price = 1;
    for (const kind of ["archive", "delete"] as const) {
      for (const failing of ["file.move", "file.moved", "file.delete"] as const) {
        if (kind === "archive" && failing === "file.delete") continue;
        const after = kind === "archive" ? await archiveIn(place) : { kind };
        const name = `${kind}-${failing}.csv`;
        await writeEvents(place, name, keylessCsv(keylessLines(0, 5, String(price++))));
        await ingestOnce(place, {
          source: folderSource(place, { after }),
          probe: (point) => {
            if (point === failing) throw Object.assign(new Error("no"), { code: "EIO" });
          },
        });
        await once(place, after);
        assertEquals(await filesBelow(place.events), [], name);
        const file = await ledgerFile(place, name);
        assertEquals([file.isArchived, file.isDeleted], [kind === "archive", kind === "delete"]);
      }
    }
    assertEquals(await rowCount(place), 25);
    await verifyExact(place);
  },
);

ingestCase("a move back that fails half-way is completed", async (place) => {
  const after = await archiveIn(place);
  for (const failing of ["file.move", "file.delete"] as const) {
    const name = `${failing}.csv`;
    const price = failing === "file.move" ? "1.00" : "2.00";
    const text = keylessCsv(keylessLines(0, 5, price));
    await writeEvents(place, name, text);
    await once(place, after);
    const { archivedPath } = await ledgerFile(place, name);
    await Deno.writeTextFile(archivedPath!, keylessLines(5, 7, price).join("\n") + "\n", {
      append: true,
    });
    await ingestOnce(place, {
      probe: (point) => {
        if (point === failing) throw Object.assign(new Error("no"), { code: "EIO" });
      },
    });
    assertEquals((await once(place, after)).troubles, []);
    assertEquals((await filesBelow(after.directory)).includes(`${failing}.g1-2.csv`), false);
    assertEquals((await ledgerFile(place, name)).loaded, 7, name);
    assertEquals(await filesBelow(place.events), []);
    await verifyExact(place);
  }
});

ingestCase("a file that cannot be moved stays, and is said once", async (place) => {
  const after = await archiveIn(place);
  await Deno.writeTextFile(join(after.directory, "sub"), "a file where a folder is needed");
  await Deno.mkdir(join(place.events, "sub"));
  await Deno.writeTextFile(join(place.events, "sub/a.csv"), csvText(eventLines(0, 5)));
  const heard = await once(place, after);
  assertEquals(heard.loaded, 5);
  assertEquals(heard.notes.length, 1);
  assertStringIncludes(heard.notes[0]!.note, "cannot be archived");
  assertEquals(await filesBelow(place.events), ["sub/a.csv"]);
  assertEquals((await ledgerFile(place, "sub/a.csv")).archivedPath, null);
  await verifyExact(place);
});
