import { assertEquals, assertNotEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { connect } from "../../src/database/connect.ts";
import type { DatabaseTarget } from "../../src/database/database_target.ts";
import {
  embeddedServerStatus,
  holdEmbeddedServer,
  startEmbeddedServer,
  stopEmbeddedServer,
} from "../../src/database/embedded_server.ts";
import { holdTarget } from "../../src/database/hold_target.ts";
import { clusterDirectory } from "../../src/database/server_home.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { fastDirectory } from "../support/test_server.ts";

const SILENT = { say: () => {} };
const HOLD_PROCESS = new URL("./hold_process.ts", import.meta.url);
const IS_ROOT = Deno.uid() === 0;

/** A folder for one test, which any user can pass; no server is left in it. */
async function withFolder(work: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ dir: await fastDirectory(), prefix: "pgsluice-home-" });
  await Deno.chmod(folder, 0o711);
  try {
    await work(folder);
  } finally {
    await stopEmbeddedServer(join(folder, "data"));
    await Deno.remove(folder, { recursive: true });
  }
}

function targetIn(dataDirectory: string): DatabaseTarget {
  return { kind: "embedded", dataDirectory, database: "postgres" };
}

async function serverPid(dataDirectory: string): Promise<number | null> {
  return (await embeddedServerStatus(dataDirectory)).pid;
}

/** A process that holds the server, once it does. */
interface Holder {
  readonly serverPid: number;
  /** Its orderly end. */
  end(): Promise<void>;
  kill(): Promise<void>;
}

async function startHolder(dataDirectory: string): Promise<Holder> {
  const child = new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--allow-all", HOLD_PROCESS.href, dataDirectory],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  const finish = async (): Promise<void> => {
    const { code, signal } = await child.status;
    // The server does not hold its starter's output open.
    assertEquals((await reader.read()).done, true);
    assertEquals(signal ?? code, signal === null ? 0 : "SIGKILL");
  };
  return {
    serverPid: Number(new TextDecoder().decode(value)),
    end: async () => {
      await child.stdin.close();
      await finish();
    },
    kill: async () => {
      child.kill("SIGKILL");
      await child.stdin.abort().catch(() => {});
      await finish();
    },
  };
}

Deno.test("the embedded server is made by its first use and stopped by its last", async () => {
  await withFolder(async (folder) => {
    const data = join(folder, "data");
    const said: string[] = [];
    const first = await connect(targetIn(data), {
      applicationName: "embedded test",
      say: (text) => said.push(text),
    });
    assertEquals(said.length, 1);
    assertStringIncludes(said[0]!, data);
    const second = await connect(targetIn(data), { applicationName: "embedded test" });
    const [row] = await first.sql`
      select current_setting('server_version_num')::int / 10000 as major,
        current_setting('server_encoding') as encoding, current_setting('timezone') as zone,
        current_setting('listen_addresses') as addresses, upper('straßé') as upper,
        array(select x from unnest(array['b', 'A', 'é', 'a']) as x order by x)::text as sorted`;
    assertEquals({ ...row }, {
      major: 18,
      encoding: "UTF8",
      zone: "UTC",
      addresses: "",
      upper: "STRAßÉ",
      sorted: "{A,a,b,é}",
    });
    await first.sql`create table kept (x int)`;
    await first.close();
    assertNotEquals(await serverPid(data), null);
    await second.close();
    await second.close();
    assertEquals(await serverPid(data), null);
    const again = await connect(targetIn(data), { applicationName: "embedded test" });
    assertEquals((await again.sql`select count(*)::int as n from kept`)[0], { n: 0 });
    await again.close();
  });
});

Deno.test("two commands side by side share the server, and the last stops it", async () => {
  await withFolder(async (folder) => {
    const data = join(folder, "data");
    const [one, other] = await Promise.all([startHolder(data), startHolder(data)]);
    assertEquals(one.serverPid, other.serverPid);
    await one.end();
    assertEquals(await serverPid(data), other.serverPid);
    await other.end();
    assertEquals(await serverPid(data), null);
  });
});

Deno.test("a target that is held keeps its server up between connections", async () => {
  await withFolder(async (folder) => {
    const data = join(folder, "data");
    const release = await holdTarget(targetIn(data), SILENT);
    const pid = await serverPid(data);
    for (let i = 0; i < 2; i++) {
      const client = await connect(targetIn(data), { applicationName: "embedded test" });
      await client.close();
      assertEquals(await serverPid(data), pid);
    }
    await release();
    await release();
    assertEquals(await serverPid(data), null);
  });
});

Deno.test("a killed command leaves the server up, and the next one's end stops it", async () => {
  await withFolder(async (folder) => {
    const data = join(folder, "data");
    const killed = await startHolder(data);
    await killed.kill();
    assertEquals(await serverPid(data), killed.serverPid);
    const hold = await holdEmbeddedServer(data, SILENT);
    assertEquals(await serverPid(data), killed.serverPid);
    await hold.release();
    assertEquals(await serverPid(data), null);
  });
});

Deno.test("a started server stays up without commands until it is stopped", async () => {
  await withFolder(async (folder) => {
    const data = join(folder, "data");
    assertEquals(await startEmbeddedServer(data, SILENT), true);
    assertEquals(await startEmbeddedServer(data, SILENT), false);
    const up = await embeddedServerStatus(data);
    assertEquals([up.isKept, up.version, up.dataDirectory], [true, "18", join(data, "cluster")]);
    const hold = await holdEmbeddedServer(data, SILENT);
    await hold.release();
    assertEquals(await serverPid(data), up.pid);
    assertEquals(await stopEmbeddedServer(data), true);
    const down = await embeddedServerStatus(data);
    assertEquals([down.pid, down.isKept], [null, false]);
    assertEquals(await stopEmbeddedServer(data), false);
  });
});

Deno.test("looking at a server that was never made makes nothing", async () => {
  await withFolder(async (folder) => {
    const data = join(folder, "data");
    const { pid, version } = await embeddedServerStatus(data);
    assertEquals([pid, version], [null, null]);
    assertEquals(await stopEmbeddedServer(data), false);
    await assertRejects(() => Deno.stat(data), Deno.errors.NotFound);
  });
});

Deno.test("a command whose server was stopped on purpose does not start it again", async () => {
  await withFolder(async (folder) => {
    const data = join(folder, "data");
    const client = await connect(targetIn(data), { applicationName: "embedded test" });
    await stopEmbeddedServer(data);
    const error = await assertRejects(
      () => connect(targetIn(data), { applicationName: "embedded test" }),
      PgsluiceError,
    );
    assertEquals(error.code, "embedded-stopped");
    await client.close();
    await assertRejects(
      () => connect(targetIn(data), { applicationName: "embedded test" }),
      PgsluiceError,
      "was stopped",
    );
    assertEquals(await serverPid(data), null);
    // Another command may, and then the first goes on.
    const other = await startHolder(data);
    const later = await connect(targetIn(data), { applicationName: "embedded test" });
    assertEquals((await later.sql`select 1 as one`)[0], { one: 1 });
    await later.close();
    await other.end();
  });
});

Deno.test("a server that was killed is started again, with all that was committed", async () => {
  await withFolder(async (folder) => {
    const data = join(folder, "data");
    const client = await connect(targetIn(data), { applicationName: "embedded test" });
    await client.sql`create table committed as select 1 as x`;
    Deno.kill((await serverPid(data))!, "SIGKILL");
    const again = await connect(targetIn(data), { applicationName: "embedded test" });
    assertEquals([...await again.sql`select x from committed`], [{ x: 1 }]);
    await again.close();
    await client.close();
    assertEquals(await serverPid(data), null);
  });
});

Deno.test("a process id left by a crash, of another process by now, is no server", async () => {
  await withFolder(async (folder) => {
    const data = join(folder, "data");
    await (await holdEmbeddedServer(data, SILENT)).release();
    const pidFile = join(clusterDirectory(data), "postmaster.pid");
    await Deno.writeTextFile(
      pidFile,
      `${Deno.pid}\n${data}\n1\n5432\n${data}/socket\n\n1 1\nready\n`,
    );
    const { uid, gid } = await Deno.stat(clusterDirectory(data));
    if (IS_ROOT) await Deno.chown(pidFile, uid, gid);
    assertEquals(await serverPid(data), null);
    const hold = await holdEmbeddedServer(data, SILENT);
    assertNotEquals(await serverPid(data), null);
    await hold.release();
  });
});

Deno.test("a server of another container, whose process cannot be seen, is used and left up", async () => {
  await withFolder(async (folder) => {
    const data = join(folder, "data");
    await startEmbeddedServer(data, SILENT);
    const pidFile = join(clusterDirectory(data), "postmaster.pid");
    const text = await Deno.readTextFile(pidFile);
    await Deno.writeTextFile(pidFile, text.replace(/^\d+/, "4194304")); // past the largest id
    await Deno.remove(join(data, "keep"));
    const hold = await holdEmbeddedServer(data, SILENT);
    const client = await connect({ kind: "server", url: hold.url("postgres") }, {
      applicationName: "embedded test",
    });
    await client.close();
    await hold.release();
    const { isUp, pid } = await embeddedServerStatus(data);
    assertEquals([isUp, pid], [true, null]);
    const error = await assertRejects(() => stopEmbeddedServer(data), PgsluiceError);
    assertStringIncludes(error.message, "another container");
    await Deno.writeTextFile(pidFile, text);
  });
});

Deno.test("a half-made data folder of a killed command is made anew", async () => {
  await withFolder(async (folder) => {
    const data = join(folder, "data");
    await Deno.mkdir(join(data, "cluster.new", "base"), { recursive: true });
    await Deno.writeTextFile(join(data, "cluster.new", "PG_VERSION"), "18\n");
    const client = await connect(targetIn(data), { applicationName: "embedded test" });
    assertEquals((await client.sql`select 1 as one`)[0], { one: 1 });
    await client.close();
  });
});

const ODD_FOLDERS: readonly { title: string; name: string }[] = [
  { title: "a path too long for a socket", name: "long-".repeat(30) },
  { title: "blanks, quotes and what a shell would run", name: `it's "$(touch x)" , \`y\` größe` },
];

for (const { title, name } of ODD_FOLDERS) {
  Deno.test(`the embedded server works in a folder with ${title}`, async () => {
    await withFolder(async (folder) => {
      const data = join(folder, name, "data");
      const hold = await holdEmbeddedServer(data, SILENT);
      const client = await connect({ kind: "server", url: hold.url("postgres") }, {
        applicationName: "embedded test",
      });
      assertEquals((await client.sql`select 1 as one`)[0], { one: 1 });
      const { socketDirectory } = await embeddedServerStatus(data);
      assertEquals(socketDirectory.startsWith(folder), false);
      const { mode } = await Deno.stat(socketDirectory);
      assertEquals(mode! & 0o777, 0o700);
      await client.close();
      await hold.release();
      await Deno.remove(socketDirectory, { recursive: true });
    });
  });
}

Deno.test("a folder that somebody else made for the socket is refused", async () => {
  await withFolder(async (folder) => {
    const data = join(folder, "data");
    await Deno.mkdir(join(data, "socket"), { recursive: true });
    await Deno.chmod(join(data, "socket"), 0o777);
    const error = await assertRejects(() => holdEmbeddedServer(data, SILENT), PgsluiceError);
    assertEquals(error.code, "embedded-socket");
  });
});

Deno.test("data of another major version is refused, with the way to move it", async () => {
  await withFolder(async (folder) => {
    const data = join(folder, "data");
    await (await holdEmbeddedServer(data, SILENT)).release();
    await Deno.writeTextFile(join(clusterDirectory(data), "PG_VERSION"), "17\n");
    const error = await assertRejects(() => holdEmbeddedServer(data, SILENT), PgsluiceError);
    assertEquals(error.code, "embedded-version");
    assertStringIncludes(error.message, "is of PostgreSQL 17; this pgsluice carries PostgreSQL 18");
    assertStringIncludes(error.hint, "pg_dumpall");
  });
});

Deno.test("a folder that is another PostgreSQL's data directory is refused", async () => {
  await withFolder(async (folder) => {
    const data = join(folder, "data");
    await Deno.mkdir(data);
    await Deno.writeTextFile(join(data, "PG_VERSION"), "18\n");
    const error = await assertRejects(() => holdEmbeddedServer(data, SILENT), PgsluiceError);
    assertEquals(error.code, "embedded-data");
    await Deno.remove(join(data, "PG_VERSION"));
  });
});

Deno.test("a server that does not start says what its log says", async () => {
  await withFolder(async (folder) => {
    const data = join(folder, "data");
    await (await holdEmbeddedServer(data, SILENT)).release();
    const settings = join(clusterDirectory(data), "postgresql.conf");
    await Deno.writeTextFile(settings, "no_such_setting = 1\n", { append: true });
    const error = await assertRejects(() => holdEmbeddedServer(data, SILENT), PgsluiceError);
    assertEquals(error.code, "embedded-start");
    assertStringIncludes(error.message, 'unrecognized configuration parameter "no_such_setting"');
    assertStringIncludes(error.hint, "server.log");
  });
});

Deno.test("the server has a session of its own, so Ctrl-C in the terminal spares it", async () => {
  await withFolder(async (folder) => {
    const data = join(folder, "data");
    const hold = await holdEmbeddedServer(data, SILENT);
    const pid = (await serverPid(data))!;
    const stat = await Deno.readTextFile(`/proc/${pid}/stat`);
    const session = Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[3]);
    assertEquals(session, pid);
    await hold.release();
  });
});

for (const umask of [0o022, 0o077]) {
  Deno.test({
    name: "root's data goes elsewhere where the server's user cannot pass, which is said; umask " +
      umask.toString(8).padStart(3, "0"),
    ignore: !IS_ROOT,
    fn: () => withFolder((folder) => useClosedFolder(folder, umask)),
  });
}

async function useClosedFolder(folder: string, umask: number): Promise<void> {
  const data = join(folder, "closed", "data");
  await Deno.mkdir(join(folder, "closed"), { mode: 0o700 });
  const said: string[] = [];
  const before = Deno.umask(umask);
  const hold = await holdEmbeddedServer(data, { say: (text) => said.push(text) })
    .finally(() => Deno.umask(before));
  const { dataDirectory } = await embeddedServerStatus(data);
  assertEquals(/^\/var\/lib\/pgsluice\/[0-9a-f]{16}\/cluster$/.test(dataDirectory), true);
  assertStringIncludes(said[0]!, `cannot pass the folders above ${data}`);
  assertStringIncludes(said[0]!, dataDirectory.replace("/cluster", ""));
  const client = await connect({ kind: "server", url: hold.url("postgres") }, {
    applicationName: "embedded test",
  });
  await client.close();
  await hold.release();
  await Deno.remove(dataDirectory.replace("/cluster", ""), { recursive: true });
}

Deno.test({
  name: "root's server runs as the owner of data that is there, who can use it afterwards",
  ignore: !IS_ROOT,
  fn: () =>
    withFolder(async (folder) => {
      const data = join(folder, "data");
      await (await holdEmbeddedServer(data, SILENT)).release();
      const owner = 54_321;
      await new Deno.Command("chown", { args: ["-R", `${owner}:${owner}`, data] }).output();
      const hold = await holdEmbeddedServer(data, SILENT);
      const status = await Deno.readTextFile(`/proc/${await serverPid(data)}/status`);
      assertStringIncludes(status, `Uid:\t${owner}\t${owner}`);
      await hold.release();
      for (const name of ["start.lock", "users.lock", "server.log", "socket"]) {
        assertEquals((await Deno.stat(join(data, name))).uid, owner);
      }
    }),
});
