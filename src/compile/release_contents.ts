/** What goes into the packages of a platform. */
export interface ReleaseContents {
  readonly executable: Uint8Array<ArrayBuffer>;
  /** As in `0.1.0`. */
  readonly version: string;
  /** As `--version` has it. */
  readonly commit: string;
  /** The commit's time, which all files get, so that a commit makes the same bytes each time. */
  readonly epochSeconds: number;
  /** `NAME <ADDRESS>`, for Debian. */
  readonly maintainer: string;
  readonly readme: string;
  readonly license: string;
  /** The licences of all that is inside, pgsluice's own among them. */
  readonly notices: string;
  readonly texts: ReleaseTexts;
}

/** What the program says of itself. */
export interface ReleaseTexts {
  /** The systemd unit, for an executable at that path. */
  unit(executable: string): string;
  readonly sysusers: string;
  readonly completions: { readonly bash: string; readonly zsh: string; readonly fish: string };
  /** The manual page, in troff. */
  readonly man: string;
}
