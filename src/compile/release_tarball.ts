import type { ReleaseContents } from "./release_contents.ts";
import { type ArchiveEntry, gzip, tarArchive } from "./tar_archive.ts";

/**
 * Everything of a platform in one folder, as `.tar.gz`.
 *
 * @param options.folder Its name in the archive.
 * @param options.hasUnit The platform has systemd.
 */
export function releaseTarball(
  contents: ReleaseContents,
  { folder, hasUnit }: { folder: string; hasUnit: boolean },
): Uint8Array<ArrayBuffer> {
  const { texts } = contents;
  const files: [name: string, content: string][] = [
    ["LICENSE", contents.license],
    ["NOTICES", contents.notices],
    ["README.md", contents.readme],
    ["completions/_pgsluice", texts.completions.zsh],
    ["completions/pgsluice.bash", texts.completions.bash],
    ["completions/pgsluice.fish", texts.completions.fish],
    ["pgsluice.1", texts.man],
  ];
  if (hasUnit) {
    files.push(["pgsluice@.service", texts.unit("/usr/local/bin/pgsluice")]);
    files.push(["sysusers.d/pgsluice.conf", texts.sysusers]);
  }
  const entries: ArchiveEntry[] = [
    { path: `${folder}/`, content: "", mode: 0o755 },
    { path: `${folder}/pgsluice`, content: contents.executable, mode: 0o755 },
    ...files.map(([name, content]) => ({ path: `${folder}/${name}`, content, mode: 0o644 })),
  ];
  return gzip(tarArchive(entries, contents.epochSeconds));
}
