import { assertEquals, assertRejects, assertStringIncludes, assertThrows } from "@std/assert";
import { join } from "@std/path";
import { parseArguments } from "../../src/cli/flags.ts";
import { folderChoices, refuseFolderFlags } from "../../src/cli/folder_flags.ts";
import { ingestCommand } from "../../src/cli/ingest.ts";
import { ingestLimits } from "../../src/cli/ingest_flags.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { ARCHIVE_MARK } from "../../src/source/folder_scan.ts";

function flagsOf(...args: string[]) {
  return parseArguments(ingestCommand, args, () => undefined).flags;
}

async function withFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.realPath(await Deno.makeTempDir());
  try {
    await use(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("without flags a folder is watched, not below, and everything is kept and held", async () => {
  await withFolder(async (folder) => {
    assertEquals(await folderChoices(flagsOf(), folder), {
      once: false,
      recursive: false,
      after: { kind: "keep" },
      onReplaced: "hold",
      fromNow: false,
    });
    assertEquals(ingestLimits(flagsOf()).maxRejects, null);
  });
});

Deno.test("the archive folder is made, made absolute, and marked", async () => {
  await withFolder(async (folder) => {
    await Deno.mkdir(join(folder, "real"));
    await Deno.symlink(join(folder, "real"), join(folder, "link"));
    const flags = flagsOf("--after", `archive=${folder}/link/to be/made`, "--recursive");
    const { after, recursive } = await folderChoices(flags, folder);
    const directory = join(folder, "real/to be/made");
    assertEquals([after, recursive], [{ kind: "archive", directory }, true]);
    assertEquals((await Deno.stat(join(directory, ARCHIVE_MARK))).isFile, true);
    await folderChoices(flags, folder); // again
  });
});

Deno.test("an archive folder that cannot serve is refused, with what to do", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(join(folder, "file"), "");
    const cases: [archive: string, message: string][] = [
      [folder, "it is the folder that is watched"],
      [join(folder, "file"), "file"],
    ];
    const isOther = (await Deno.stat("/dev/shm").catch(() => null))?.dev !==
      (await Deno.stat(folder)).dev;
    if (isOther) cases.push(["/dev/shm/pgsluice-test", "on another file system"]);
    try {
      for (const [archive, message] of cases) {
        const error = await assertRejects(
          () => folderChoices(flagsOf("--after", `archive=${archive}`), folder),
          PgsluiceError,
          message,
        );
        assertEquals(error.code, "archive-folder", archive);
        assertStringIncludes(error.hint, "name ");
      }
    } finally {
      await Deno.remove("/dev/shm/pgsluice-test", { recursive: true }).catch(() => {});
    }
  });
});

Deno.test("--after says what it expects", async () => {
  await withFolder(async (folder) => {
    for (const text of ["archive", "archive=", "remove", "keep "]) {
      const error = await assertRejects(
        () => folderChoices(flagsOf("--after", text), folder),
        PgsluiceError,
        "expected keep, delete or archive=DIR",
      );
      assertEquals([error.code, error.exitCode], ["usage", 2]);
    }
    assertEquals((await folderChoices(flagsOf("--after=delete"), folder)).after, {
      kind: "delete",
    });
  });
});

Deno.test("--max-rejects is a number or a share", () => {
  const cases = {
    "0": { kind: "count", rejects: 0 },
    "1_000": { kind: "count", rejects: 1_000 },
    "2%": { kind: "share", percent: 2 },
    "0.5%": { kind: "share", percent: 0.5 },
    "100%": { kind: "share", percent: 100 },
  } as const;
  for (const [text, budget] of Object.entries(cases)) {
    assertEquals(ingestLimits(flagsOf("--max-rejects", text)).maxRejects, budget, text);
  }
  for (const text of ["-1", "1.5", "101%", "%", "few", "1 %"]) {
    const error = assertThrows(
      () => ingestLimits(flagsOf("--max-rejects", text)),
      PgsluiceError,
      "expected a number or a percentage",
    );
    assertEquals(error.exitCode, 2, text);
  }
});

Deno.test("flags of folders are refused for a stream, by name", () => {
  refuseFolderFlags(flagsOf("--once"));
  const error = assertThrows(
    () => refuseFolderFlags(flagsOf("--recursive", "--from", "now")),
    PgsluiceError,
    "--recursive, --from: for a folder",
  );
  assertEquals(error.exitCode, 2);
});
