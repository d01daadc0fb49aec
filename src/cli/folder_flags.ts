import { EXIT, PgsluiceError } from "../pgsluice_error.ts";
import type { AfterLoad, IngestSource, OnReplaced } from "../pipeline/ingest_options.ts";
import type { Flag, FlagValues } from "./command.ts";

/** What to load from. */
export const sourceFlag: Flag = {
  name: "source",
  kind: "text",
  placeholder: "DIR|-",
  summary: "the folder to watch, or - for standard input; the argument says the same",
  defaultText: "./data/events",
};

/** The flags of `ingest` that say what is done with the files of a folder. */
export const FOLDER_FLAGS: readonly Flag[] = [
  { name: "once", kind: "switch", summary: "load what is there now, then end" },
  { name: "recursive", kind: "switch", summary: "take the folders below as well" },
  {
    name: "after",
    kind: "text",
    placeholder: "keep|archive=DIR|delete",
    summary: "what becomes of a file that is loaded and was quiet for --settle",
    defaultText: "keep",
  },
  {
    name: "on-replaced",
    kind: "text",
    placeholder: "hold|reload|add",
    summary: "a file with other bytes than were loaded, and no event_id to tell repeats: wait " +
      "for `files reload` or `files accept`, load it in place of the rows before, or in addition",
    choices: ["hold", "reload", "add"],
    defaultText: "hold",
  },
  {
    name: "from",
    kind: "text",
    placeholder: "now",
    summary: "in a pipeline that begins: pass over the files that are there already",
    choices: ["now"],
  },
];

export type FolderSource = IngestSource & { readonly kind: "folder" };

/**
 * @param directory The real path of the folder.
 * @throws PgsluiceError `usage`, or `archive-folder` if that cannot be used
 */
export async function folderChoices(
  flags: FlagValues,
  directory: string,
): Promise<Omit<FolderSource, "kind" | "directory">> {
  return {
    once: flags.switch("once"),
    recursive: flags.switch("recursive"),
    after: await afterLoad(flags.text("after") ?? "keep", directory),
    onReplaced: (flags.text("on-replaced") ?? "hold") as OnReplaced,
    fromNow: flags.text("from") === "now",
  };
}

async function afterLoad(text: string, directory: string): Promise<AfterLoad> {
  if (text === "keep" || text === "delete") return { kind: text };
  const archive = /^archive=(.+)$/s.exec(text)?.[1];
  if (archive === undefined) {
    throw new PgsluiceError(
      "usage",
      `--after: expected keep, delete or archive=DIR, got ${JSON.stringify(text)}`,
      { hint: "as in --after archive=./data/loaded", exitCode: EXIT.usage },
    );
  }
  const { archiveFolder } = await import("../pipeline/archive_folder.ts");
  return { kind: "archive", directory: await archiveFolder(archive, directory) };
}

/** @throws PgsluiceError `usage` if a flag of folders was given for a stream */
export function refuseFolderFlags(flags: FlagValues): void {
  const given = FOLDER_FLAGS.filter(({ name, kind }) =>
    name !== "once" && flags.givenBy(name)?.source !== "file" &&
    (kind === "switch" ? flags.switch(name) : flags.text(name) !== undefined)
  );
  if (given.length === 0) return;
  const names = given.map(({ name }) => `--${name}`).join(", ");
  throw new PgsluiceError("usage", `${names}: for a folder, but the source is a stream`, {
    hint: "leave it out, or name a folder: pgsluice ingest DIR",
    exitCode: EXIT.usage,
  });
}
