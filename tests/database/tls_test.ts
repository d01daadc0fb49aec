import { assertEquals, assertRejects, assertStringIncludes } from "@std/assert";
import { join } from "@std/path";
import { connect } from "../../src/database/connect.ts";
import { faultKind } from "../../src/database/fault.ts";
import { setUp } from "../../src/database/set_up.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";
import { USER_EVENTS } from "../../src/schema/user_events.ts";
import { csvText, eventLines } from "../support/ingest_fixture.ts";
import { pgsluiceProcess, type ProcessEnd } from "./pgsluice_process.ts";
import { TcpProxy } from "./tcp_proxy.ts";
import { openssl, TestAuthority } from "./test_certificates.ts";
import { noTlsTests, type TlsServer, tlsServer } from "./tls_server.ts";

const reason = await noTlsTests();
const ignore = reason !== null;
if (ignore) console.log(`the tests of TLS are skipped: ${reason}`);

let shared: Promise<TlsServer> | null = null;
let other: Promise<TestAuthority> | null = null;
let ann: Promise<{ certificate: string; key: string }> | null = null;

Deno.test.afterAll(async () => {
  await (await shared)?.[Symbol.asyncDispose]();
  shared = null;
});

/** One server for all tests that leave it as it is. */
function server(): Promise<TlsServer> {
  return shared ??= tlsServer();
}

/** An authority that signed nothing of the server's. */
async function otherAuthority(): Promise<TestAuthority> {
  return await (other ??= TestAuthority.make((await server()).folder, "other"));
}

/** What proves a client to be `ann`. */
async function annsFiles(): Promise<{ certificate: string; key: string }> {
  const { authority } = await server();
  return await (ann ??= authority.sign({
    name: "ann",
    commonName: "ann",
    extensions: "extendedKeyUsage=clientAuth",
  }));
}

/** @param options.host The right address unless given. */
async function urlOf(
  user: string,
  parameters: Readonly<Record<string, string>>,
  options: { host?: string } = {},
): Promise<string> {
  const host = options.host ?? (await server()).address;
  return `postgresql://${user}@${host}/postgres?${new URLSearchParams(parameters)}`;
}

/** Whom a connection is of, by which TLS. */
async function session(url: string): Promise<{ user: string; hasTls: boolean; subject: string }> {
  const client = await connect({ kind: "server", url }, { applicationName: "tls test" });
  try {
    const [row] = await client.sql`
      select current_user as user, ssl as "hasTls", coalesce(client_dn, '') as subject
      from pg_stat_ssl
      where pid = pg_backend_pid()`;
    return { ...row } as { user: string; hasTls: boolean; subject: string };
  } finally {
    await client.close();
  }
}

async function refusal(url: string): Promise<PgsluiceError> {
  const error = await assertRejects(() => session(url), PgsluiceError);
  assertEquals(faultKind(error), "stop", Deno.inspect(error));
  return error;
}

const EVE = { user: "eve", hasTls: true, subject: "" };

/** Whether the server is trusted, by the name that its certificate is for or by another one. */
const TRUST: readonly {
  mode: string;
  authority: "right" | "other" | "none";
  name: "right" | "wrong";
  /** Part of the message; null if it is. */
  refused: string | null;
}[] = [
  { mode: "prefer", authority: "none", name: "right", refused: null },
  { mode: "require", authority: "none", name: "wrong", refused: null },
  // as libpq: with authorities at hand they are asked
  { mode: "require", authority: "right", name: "wrong", refused: null },
  { mode: "require", authority: "other", name: "right", refused: "no authority" },
  { mode: "verify-ca", authority: "right", name: "right", refused: null },
  { mode: "verify-ca", authority: "right", name: "wrong", refused: null },
  { mode: "verify-ca", authority: "other", name: "right", refused: "no authority" },
  { mode: "verify-ca", authority: "none", name: "right", refused: "none are named" },
  { mode: "verify-full", authority: "right", name: "right", refused: null },
  { mode: "verify-full", authority: "right", name: "wrong", refused: "another name" },
  { mode: "verify-full", authority: "other", name: "right", refused: "no authority" },
  { mode: "verify-full", authority: "none", name: "right", refused: "none are named" },
];

const WITH = { right: "its authority", other: "another authority", none: "no authority" };

for (const { mode, authority, name, refused } of TRUST) {
  const outcome = refused === null ? "trusts" : "does not trust";
  const title = `sslmode=${mode} ${outcome} the ${name} name with ${WITH[authority]}`;
  Deno.test({ name: title, ignore }, async () => {
    const sslrootcert = authority === "right"
      ? (await server()).authority.path
      : authority === "other"
      ? (await otherAuthority()).path
      : null;
    const parameters = { sslmode: mode, ...(sslrootcert === null ? {} : { sslrootcert }) };
    const { address, otherAddress } = await server();
    const host = name === "right" ? address : otherAddress;
    const url = await urlOf("eve", parameters, { host });
    if (refused === null) return assertEquals(await session(url), EVE);
    const error = await refusal(url);
    assertEquals(error.code, "database-tls");
    assertStringIncludes(error.message, refused);
    assertStringIncludes(
      error.hint,
      /another name/.test(refused) ? "subjectAltName" : "sslrootcert",
    );
  });
}

Deno.test({ name: "a certificate that two authorities stand by is trusted", ignore }, async () => {
  const { authority, folder } = await server();
  const both = join(folder, "both.crt");
  const texts = [(await otherAuthority()).path, authority.path].map((path) =>
    Deno.readTextFile(path)
  );
  await Deno.writeTextFile(both, (await Promise.all(texts)).join(""));
  const url = await urlOf("eve", { sslmode: "verify-full", sslrootcert: both });
  assertEquals(await session(url), EVE);
});

Deno.test({ name: "a name is looked for in the certificate, too", ignore }, async () => {
  const { address, authority } = await server();
  await using proxy = new TcpProxy(`postgresql://${address}/postgres`);
  const url = `postgresql://eve@localhost:${proxy.port}/postgres?sslmode=verify-full` +
    `&sslrootcert=${authority.path}`;
  assertEquals(await session(url), EVE);
});

Deno.test({ name: "this machine is not asked for TLS unless the URL does", ignore }, async () => {
  const error = await refusal(await urlOf("eve", {}));
  assertEquals(error.code, "database-login");
  assertStringIncludes(error.message, "no encryption");
});

Deno.test({
  name: "a client's certificate logs in, and without one it is clear what is missing",
  ignore,
}, async () => {
  const { certificate, key } = await annsFiles();
  const sslrootcert = (await server()).authority.path;
  assertEquals(
    await session(
      await urlOf("ann", {
        sslmode: "verify-full",
        sslrootcert,
        sslcert: certificate,
        sslkey: key,
      }),
    ),
    { user: "ann", hasTls: true, subject: "/CN=ann" },
  );
  // A certificate asks for TLS by itself.
  assertEquals(
    (await session(await urlOf("ann", { sslcert: certificate, sslkey: key }))).subject,
    "/CN=ann",
  );
  const missing = await refusal(await urlOf("ann", { sslmode: "require" }));
  assertEquals(missing.code, "database-login");
  assertStringIncludes(missing.message, "requires a valid client certificate");
  assertStringIncludes(missing.hint, "sslcert and sslkey");
});

Deno.test({
  name: "a client's certificate of an authority that the server does not know is refused",
  ignore,
}, async () => {
  const { certificate, key } = await (await otherAuthority()).sign({
    name: "impostor",
    commonName: "ann",
    extensions: "extendedKeyUsage=clientAuth",
  });
  const error = await refusal(
    await urlOf("ann", { sslmode: "require", sslcert: certificate, sslkey: key }),
  );
  assertEquals(error.code, "database-tls");
  assertStringIncludes(error.message, "the server refused the client's side");
  assertStringIncludes(error.hint, "ssl_ca_file");
});

/** What can be wrong with the files of a client. */
const UNFIT: readonly {
  title: string;
  spoil: (files: { certificate: string; key: string }) => Promise<Record<string, string>>;
  message: string;
  hint: string;
}[] = [
  {
    title: "a key that others may read",
    spoil: async ({ certificate, key }) => {
      await Deno.chmod(key, 0o644);
      return { sslcert: certificate, sslkey: key };
    },
    message: "others than its owner may use",
    hint: "chmod 600",
  },
  {
    title: "a key that is encrypted",
    spoil: async ({ certificate, key }) => {
      const encrypted = `${key}.encrypted`;
      await openssl(join(key, ".."), [
        ...["pkey", "-in", key, "-out", encrypted, "-aes128", "-passout", "pass:x"],
      ]);
      await Deno.chmod(encrypted, 0o600);
      return { sslcert: certificate, sslkey: encrypted };
    },
    message: "is encrypted",
    hint: "openssl pkey",
  },
  {
    title: "a certificate without a key",
    spoil: ({ certificate }) => Promise.resolve({ sslcert: certificate }),
    message: "no key for it",
    hint: "sslkey=FILE",
  },
  {
    title: "a key in the place of the certificate",
    spoil: ({ key }) => Promise.resolve({ sslcert: key, sslkey: key }),
    message: "holds no CERTIFICATE in PEM",
    hint: "PEM file with this client's certificate",
  },
  {
    title: "a key of another certificate",
    spoil: async ({ certificate, key }) => {
      const folder = join(key, "..");
      await openssl(folder, ["genpkey", "-algorithm", "ed25519", "-out", "stray.key"]);
      await Deno.chmod(join(folder, "stray.key"), 0o600);
      return { sslcert: certificate, sslkey: join(folder, "stray.key") };
    },
    message: "is not that of the certificate",
    hint: "private key of this client's certificate",
  },
  {
    title: "a key of a kind that is not taken",
    spoil: async ({ key }) => {
      const folder = join(key, "..");
      await openssl(folder, [
        ...["req", "-x509", "-newkey", "rsa:1024", "-nodes", "-days", "2", "-subj", "/CN=ann"],
        ...["-keyout", "short.key", "-out", "short.crt"],
      ]);
      await Deno.chmod(join(folder, "short.key"), 0o600);
      return { sslcert: join(folder, "short.crt"), sslkey: join(folder, "short.key") };
    },
    message: "of a kind not taken here",
    hint: "from 2048 bits",
  },
  {
    title: "a certificate that is damaged",
    spoil: async ({ key }) => ({ sslcert: await damaged(key, "CERTIFICATE"), sslkey: key }),
    message: "holds a damaged certificate",
    hint: "PEM file",
  },
  {
    title: "a key that is damaged",
    spoil: async ({ certificate, key }) => ({
      sslcert: certificate,
      sslkey: await damaged(key, "PRIVATE KEY"),
    }),
    message: "holds a damaged key",
    hint: "PEM file",
  },
  {
    title: "a file of authorities that is damaged",
    spoil: async ({ key }) => ({ sslrootcert: await damaged(key, "CERTIFICATE") }),
    message: "holds a damaged certificate",
    hint: "authorities to trust",
  },
  {
    title: "a file of authorities that is none",
    spoil: ({ key }) => Promise.resolve({ sslrootcert: key }),
    message: "holds no CERTIFICATE",
    hint: "authorities to trust",
  },
  {
    title: "a file that is not there",
    spoil: ({ key }) => Promise.resolve({ sslcert: "/no/such/file.crt", sslkey: key }),
    message: "cannot read /no/such/file.crt",
    hint: "PEM file",
  },
];

/** A file with a block of nothing, beside another one. */
async function damaged(beside: string, label: string): Promise<string> {
  const path = `${beside}.damaged`;
  await Deno.writeTextFile(path, `-----BEGIN ${label}-----\nAAAA\n-----END ${label}-----\n`);
  await Deno.chmod(path, 0o600);
  return path;
}

for (const { title, spoil, message, hint } of UNFIT) {
  Deno.test({ name: `${title} is an error that says what to do`, ignore }, async () => {
    const files = await (await server()).authority.sign({
      name: `unfit-${crypto.randomUUID()}`,
      commonName: "ann",
      extensions: "extendedKeyUsage=clientAuth",
    });
    const error = await refusal(
      await urlOf("ann", { sslmode: "require", ...await spoil(files) }),
    );
    assertEquals(error.code, "database-tls");
    assertStringIncludes(error.message, message);
    assertStringIncludes(error.hint, hint);
  });
}

Deno.test(
  { name: "the files of ~/.postgresql are taken where none are named", ignore },
  async () => {
    const { authority, folder } = await server();
    const { certificate, key } = await annsFiles();
    const home = join(folder, "home");
    const files = join(home, ".postgresql");
    await Deno.mkdir(files, { recursive: true });
    await Deno.copyFile(authority.path, join(files, "root.crt"));
    await Deno.copyFile(certificate, join(files, "postgresql.crt"));
    await Deno.copyFile(key, join(files, "postgresql.key"));
    const before = Deno.env.get("HOME");
    Deno.env.set("HOME", home);
    try {
      const url = await urlOf("ann", { sslmode: "verify-full" });
      assertEquals((await session(url)).subject, "/CN=ann");
      await Deno.copyFile((await otherAuthority()).path, join(files, "root.crt"));
      assertStringIncludes((await refusal(url)).hint, join(files, "root.crt"));
    } finally {
      if (before === undefined) Deno.env.delete("HOME");
      else Deno.env.set("HOME", before);
    }
  },
);

Deno.test({ name: "a certificate without a subjectAltName is told apart", ignore }, async () => {
  await using old = await tlsServer({ extensions: "" });
  const error = await refusal(
    `postgresql://eve@${old.address}/postgres?sslmode=verify-full` +
      `&sslrootcert=${old.authority.path}`,
  );
  assertEquals(error.code, "database-tls");
  assertStringIncludes(error.hint, "subjectAltName");
});

/** `status` in a process whose system trusts the server's authority. */
async function statusWhereTrusted(
  parameters: Readonly<Record<string, string>>,
  store: "system" | "",
): Promise<ProcessEnd> {
  const { authority, folder } = await server();
  return await pgsluiceProcess(["status", "--database", await urlOf("eve", parameters)], {
    cwd: folder,
    environment: { DENO_TLS_CA_STORE: store, SSL_CERT_FILE: authority.path },
  });
}

Deno.test({ name: "sslrootcert=system trusts what the system trusts", ignore }, async () => {
  const { code, stderr } = await statusWhereTrusted({ sslrootcert: "system" }, "system");
  assertEquals([code, stderr], [0, ""]);
});

for (const sslmode of ["require", "verify-ca"]) {
  const name = `sslmode=${sslmode} trusts the file alone, whatever the system trusts`;
  Deno.test({ name, ignore }, async () => {
    const sslrootcert = (await otherAuthority()).path;
    const { stderr } = await statusWhereTrusted({ sslmode, sslrootcert }, "system");
    assertStringIncludes(stderr, "[database-tls]");
    assertStringIncludes(stderr, "is seen to have signed the server's certificate itself");
  });
}

Deno.test(
  { name: "verify-full trusts the file alone where Deno trusts nobody", ignore },
  async () => {
    const sslrootcert = (await otherAuthority()).path;
    const { stderr } = await statusWhereTrusted({ sslmode: "verify-full", sslrootcert }, "");
    assertStringIncludes(
      stderr,
      "no authority that is trusted has signed the server's certificate",
    );
  },
);

Deno.test(
  { name: "an authority in between is followed, or has to be in the file", ignore },
  async () => {
    await using chained = await tlsServer({ between: true });
    const { address, folder, authority } = chained;
    const both = join(folder, "both.crt");
    const between = await Deno.readTextFile(join(folder, "between.crt"));
    await Deno.writeTextFile(both, await Deno.readTextFile(authority.path) + between);
    const url = (sslmode: string, sslrootcert: string) =>
      `postgresql://eve@${address}/postgres?sslmode=${sslmode}&sslrootcert=${sslrootcert}`;
    assertEquals(await session(url("verify-full", authority.path)), EVE);
    assertEquals(await session(url("verify-ca", both)), EVE);
    const error = await refusal(url("verify-ca", authority.path));
    assertStringIncludes(error.hint, "stands between the server and one that is there");
  },
);

Deno.test(
  { name: "an ingest over TLS with a client's certificate loads exactly once", ignore },
  async () => {
    const { own, authority, folder } = await server();
    const { certificate, key } = await annsFiles();
    const admin = await connect({ kind: "server", url: own.url }, { applicationName: "tls test" });
    await admin.sql.unsafe(
      "create database tls_ingest owner ann encoding 'UTF8' template template0",
    );
    await admin.close();
    const home = await Deno.makeTempDir({ dir: folder });
    const events = join(home, "events");
    await Deno.mkdir(events);
    await Deno.writeTextFile(join(events, "a.csv"), csvText(eventLines(0, 3_000)));
    await Deno.writeTextFile(join(events, "b.csv"), csvText(eventLines(2_000, 5_000)));
    const url = (await urlOf("ann", {
      sslmode: "verify-full",
      sslrootcert: authority.path,
      sslcert: certificate,
      sslkey: key,
    })).replace("/postgres?", "/tls_ingest?");
    for (const loaded of [5_000, 0]) {
      const { code, stdout, stderr } = await pgsluiceProcess(
        ["ingest", events, "--once", "--json"],
        { cwd: home, environment: { DATABASE_URL: url } },
      );
      assertEquals(code, 0, stderr);
      assertEquals(JSON.parse(stdout).loaded, loaded);
    }
    const client = await connect({ kind: "server", url }, { applicationName: "tls test" });
    const [row] = await client.sql`
    select count(*)::int as rows, count(distinct event_id)::int as keys from user_events`;
    await client.close();
    assertEquals(row, { rows: 5_000, keys: 5_000 });
    assertEquals(
      (await setUp({ kind: "server", url }, { schema: USER_EVENTS, table: "user_events" })).did,
      [],
    );
  },
);
