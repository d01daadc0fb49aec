import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { connect } from "../../src/database/connect.ts";
import { serverAccount } from "../../src/database/server_account.ts";
import { parseServerUrl } from "../../src/database/server_url.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { ingestWatching, withPlace } from "../support/ingest_fixture.ts";
import { testDatabase } from "../support/test_database.ts";

const PGBOUNCER = "/usr/sbin/pgbouncer";

/** Debian's, which is in no npm package: where it is not installed these tests are ignored. */
const IS_INSTALLED = await Deno.stat(PGBOUNCER).then(() => true, () => false);

/** What PgBouncer has to be told before it lets settings of a session pass that it cannot keep. */
const IGNORED = "synchronous_commit,bytea_output,client_min_messages,idle_session_timeout," +
  "idle_in_transaction_session_timeout,tcp_keepalives_idle,tcp_keepalives_interval," +
  "tcp_keepalives_count,tcp_user_timeout,statement_timeout";

/** Runs a PgBouncer in front of the server of `url`, and gives the URL that leads through it. */
async function withPgBouncer(
  url: string,
  options: { mode: "transaction" | "session"; settings: string },
  use: (url: string) => Promise<void>,
): Promise<void> {
  const { hosts, user, database } = parseServerUrl(url, "the test server's URL");
  const { host, port } = hosts[0]!;
  const folder = await Deno.makeTempDir();
  const listenPort = freePort();
  await Deno.writeTextFile(
    join(folder, "pgbouncer.ini"),
    `[databases]
* = host=${host} port=${port}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = ${listenPort}
unix_socket_dir =
auth_type = any
pool_mode = ${options.mode}
default_pool_size = 2
${options.settings}
[users]
`.replaceAll("* = ", `${database} = user=${user} `),
  );
  // it refuses root; the embedded server's socket is for the server's user
  const account = await serverAccount(folder) ?? {};
  await Deno.chmod(folder, 0o755);
  const child = new Deno.Command(PGBOUNCER, {
    args: [join(folder, "pgbouncer.ini")],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    ...account,
  }).spawn();
  const said = new Response(child.stderr).text();
  try {
    await takesConnections(listenPort, child.status);
    await use(`postgresql://${user}@127.0.0.1:${listenPort}/${database}`);
  } catch (error) {
    child.kill("SIGKILL");
    throw new Error(`with PgBouncer, which said: ${await said}`, { cause: error });
  } finally {
    try {
      child.kill("SIGKILL");
    } catch {
      // it has ended
    }
    await child.status;
    await said;
    await Deno.remove(folder, { recursive: true });
  }
}

function freePort(): number {
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const { port } = listener.addr as Deno.NetAddr;
  listener.close();
  return port;
}

async function takesConnections(port: number, status: Promise<unknown>): Promise<void> {
  let hasEnded = false;
  status.then(() => hasEnded = true);
  while (!hasEnded) {
    const connection = await Deno.connect({ hostname: "127.0.0.1", port }).catch(() => null);
    connection?.close();
    if (connection !== null) return;
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
  throw new Error("it did not start");
}

const CASES = [
  {
    name: "as it comes from its package",
    mode: "session",
    settings: "",
    says: "startup parameter",
  },
  {
    name: "in transaction mode, told to ignore the settings of sessions",
    mode: "transaction",
    settings: `ignore_startup_parameters = ${IGNORED}`,
    says: "transaction mode",
  },
] as const;

for (const { name, mode, settings, says } of CASES) {
  Deno.test({
    name: `a real PgBouncer ${name} is refused with a clear error, by a watching ingest as well ` +
      "(needs pgbouncer)",
    ignore: !IS_INSTALLED,
    fn: async () => {
      await withPlace(await testDatabase(), async (place) => {
        await withPgBouncer(place.database.url, { mode, settings }, async (url) => {
          const error = await assertRejects(
            () => connect({ kind: "server", url }, { applicationName: "test" }),
            PgsluiceError,
          );
          assertEquals(error.code, "database-pooler");
          assertStringIncludes(error.message, says);
          // nothing to wait for
          const { ended, heard } = ingestWatching(place, {
            noWait: false,
            target: { kind: "server", url },
          });
          assertEquals((await assertRejects(() => ended, PgsluiceError)).code, "database-pooler");
          assertEquals(heard.outages, []);
        });
      });
    },
  });
}
