import { createHash } from "node:crypto";
import { POSTINST, POSTRM, PRERM } from "./debian_scripts.ts";
import type { ReleaseContents } from "./release_contents.ts";
import { type ArchiveEntry, bytesOf, concatenate, gzip, tarArchive } from "./tar_archive.ts";

/**
 * What the runtime and the server are linked against and do not bring: of Debian 10 or later. ICU,
 * which the server begins with, is C++.
 */
const DEPENDS = "libc6 (>= 2.27), libgcc-s1 | libgcc1, libstdc++6, passwd";

const COPYRIGHT_END = `
The executable has Deno's runtime, PostgreSQL with the libraries that it is linked to, and npm
packages inside: NOTICES.gz in this folder names them and has their licences.
`;

/**
 * A package for Debian and what descends from it, made without dpkg, so that it is made anywhere
 * and its every byte follows from `contents`.
 *
 * @param architecture As Debian names it.
 * @see deb(5), deb-control(5)
 */
export function debianPackage(
  contents: ReleaseContents,
  architecture: string,
): Uint8Array<ArrayBuffer> {
  const files = installedFiles(contents);
  const data = tarArchive(withFolders(files), contents.epochSeconds);
  const md5sums = files.map(({ path, content }) =>
    `${createHash("md5").update(bytesOf(content)).digest("hex")}  ${path}\n`
  ).join("");
  const installedBytes = files.reduce((sum, { content }) => sum + bytesOf(content).length, 0);
  const controlFiles: ArchiveEntry[] = [
    { path: "./", content: "", mode: 0o755 },
    {
      path: "./control",
      content: controlText(contents, { architecture, installedBytes }),
      mode: 0o644,
    },
    { path: "./md5sums", content: md5sums, mode: 0o644 },
    { path: "./postinst", content: POSTINST, mode: 0o755 },
    { path: "./postrm", content: POSTRM, mode: 0o755 },
    { path: "./prerm", content: PRERM, mode: 0o755 },
  ];
  return arArchive([
    { name: "debian-binary", bytes: bytesOf("2.0\n") },
    { name: "control.tar.gz", bytes: gzip(tarArchive(controlFiles, contents.epochSeconds)) },
    { name: "data.tar.gz", bytes: gzip(data) },
  ], contents.epochSeconds);
}

function installedFiles(contents: ReleaseContents): ArchiveEntry[] {
  const { texts } = contents;
  const file = (path: string, content: string | Uint8Array<ArrayBuffer>): ArchiveEntry => ({
    path,
    content,
    mode: 0o644,
  });
  return [
    { path: "usr/bin/pgsluice", content: contents.executable, mode: 0o755 },
    file("usr/lib/systemd/system/pgsluice@.service", texts.unit("/usr/bin/pgsluice")),
    file("usr/lib/sysusers.d/pgsluice.conf", texts.sysusers),
    file("usr/share/bash-completion/completions/pgsluice", texts.completions.bash),
    file("usr/share/doc/pgsluice/NOTICES.gz", gzip(bytesOf(contents.notices))),
    file("usr/share/doc/pgsluice/README.md.gz", gzip(bytesOf(contents.readme))),
    file("usr/share/doc/pgsluice/changelog.gz", gzip(bytesOf(changelog(contents)))),
    file("usr/share/doc/pgsluice/copyright", contents.license + COPYRIGHT_END),
    file("usr/share/fish/vendor_completions.d/pgsluice.fish", texts.completions.fish),
    file("usr/share/man/man1/pgsluice.1.gz", gzip(bytesOf(texts.man))),
    file("usr/share/zsh/vendor-completions/_pgsluice", texts.completions.zsh),
  ];
}

/** Each folder before what is in it, as dpkg wants them. */
function withFolders(files: readonly ArchiveEntry[]): ArchiveEntry[] {
  const entries = new Map<string, ArchiveEntry>();
  const add = (path: string, entry?: ArchiveEntry) => {
    const names = path.split("/");
    for (let count = 0; count < names.length; count++) {
      const folder = `./${names.slice(0, count).map((name) => `${name}/`).join("")}`;
      if (!entries.has(folder)) entries.set(folder, { path: folder, content: "", mode: 0o755 });
    }
    if (entry !== undefined) entries.set(`./${path}`, { ...entry, path: `./${path}` });
  };
  add("etc/pgsluice/"); // for the pipelines' configurations
  for (const entry of files) add(entry.path, entry);
  return [...entries.values()];
}

function controlText(
  { version, maintainer }: ReleaseContents,
  { architecture, installedBytes }: { architecture: string; installedBytes: number },
): string {
  return `Package: pgsluice
Version: ${version}
Architecture: ${architecture}
Maintainer: ${maintainer}
Installed-Size: ${Math.ceil(installedBytes / 1024)}
Depends: ${DEPENDS}
Recommends: postgresql-client
Section: database
Priority: optional
Description: loads CSV events into PostgreSQL, each exactly once
 pgsluice watches a folder of CSV files, or reads a pipe, and loads every event
 into a table of PostgreSQL exactly once, through crashes and outages. It brings
 a PostgreSQL of its own, which runs where no other is named.
 .
 Each pipeline is a service, pgsluice@NAME, with /etc/pgsluice/NAME.json as its
 configuration. None is enabled by installing.
`;
}

function changelog({ version, maintainer, commit, epochSeconds }: ReleaseContents): string {
  const time = new Date(epochSeconds * 1000).toUTCString().replace("GMT", "+0000");
  return `pgsluice (${version}) unstable; urgency=medium\n\n` +
    `  * Built from commit ${commit}.\n\n -- ${maintainer}  ${time}\n`;
}

/** @see ar(5) */
function arArchive(
  members: readonly { readonly name: string; readonly bytes: Uint8Array<ArrayBuffer> }[],
  epochSeconds: number,
): Uint8Array<ArrayBuffer> {
  const parts = [bytesOf("!<arch>\n")];
  for (const { name, bytes } of members) {
    const owner = "0".padEnd(6) + "0".padEnd(6);
    const head = name.padEnd(16) + String(epochSeconds).padEnd(12) + owner +
      "100644".padEnd(8) + String(bytes.length).padEnd(10) + "`\n";
    parts.push(bytesOf(head), bytes, bytesOf(bytes.length % 2 === 0 ? "" : "\n"));
  }
  return concatenate(parts);
}
