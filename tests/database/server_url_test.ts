import { assertEquals, assertThrows } from "@std/assert";
import type { ServerAddress } from "../../src/database/server_settings.ts";
import { formatServerUrl, parseServerUrl } from "../../src/database/server_url.ts";
import { PgsluiceError } from "../../src/pgsluice_error.ts";

const NOTHING: ServerAddress = {
  hosts: [],
  user: undefined,
  password: undefined,
  passwordFile: undefined,
  database: undefined,
  sslMode: undefined,
  sslRootCertificate: undefined,
  sslCertificate: undefined,
  sslKey: undefined,
  options: undefined,
  service: undefined,
};

const READ: readonly { url: string; address: Partial<ServerAddress> }[] = [
  { url: "postgresql://", address: {} },
  { url: "postgres:///shop", address: { database: "shop" } },
  {
    url: "postgresql://ann@db.example/shop",
    address: { hosts: [{ host: "db.example", port: 5432 }], user: "ann", database: "shop" },
  },
  {
    url: "postgresql://ann:s%40c%2Fr%3At@db:6432/my%20shop",
    address: {
      hosts: [{ host: "db", port: 6432 }],
      user: "ann",
      password: "s@c/r:t",
      database: "my shop",
    },
  },
  // Against the rules, and what people write.
  {
    url: "postgresql://ann:s@c/r:t#1@db/shop",
    address: {
      hosts: [{ host: "db", port: 5432 }],
      user: "ann",
      password: "s@c/r:t#1",
      database: "shop",
    },
  },
  {
    url: "postgresql://[::1]:5433/",
    address: { hosts: [{ host: "::1", port: 5433 }] },
  },
  {
    url: "postgresql://one:1,two:2,three/shop",
    address: {
      hosts: [{ host: "one", port: 1 }, { host: "two", port: 2 }, { host: "three", port: 5432 }],
      database: "shop",
    },
  },
  {
    url: "postgresql://ann@/shop?host=%2Frun%2Fpostgresql&port=5433",
    address: { hosts: [{ host: "/run/postgresql", port: 5433 }], user: "ann", database: "shop" },
  },
  {
    url: "postgresql://ann@%2Frun%2Fpostgresql/shop",
    address: { hosts: [{ host: "/run/postgresql", port: 5432 }], user: "ann", database: "shop" },
  },
  {
    url: "postgresql://db/shop?user=ann&password=x%26y&dbname=other&sslmode=verify-full" +
      "&sslrootcert=/etc/ca.pem&options=-c%20jit%3Doff&application_name=x&channel_binding=require",
    address: {
      hosts: [{ host: "db", port: 5432 }],
      user: "ann",
      password: "x&y",
      database: "other",
      sslMode: "verify-full",
      sslRootCertificate: "/etc/ca.pem",
      options: "-c jit=off",
    },
  },
  {
    url:
      "postgresql://db/?sslcert=%2Fetc%2Fann.crt&sslkey=/etc/ann.key&passfile=/etc/pass%20words" +
      "&service=prod",
    address: {
      hosts: [{ host: "db", port: 5432 }],
      passwordFile: "/etc/pass words",
      sslCertificate: "/etc/ann.crt",
      sslKey: "/etc/ann.key",
      service: "prod",
    },
  },
  {
    url: "postgresql://db/?sslrootcert=system",
    address: {
      hosts: [{ host: "db", port: 5432 }],
      sslMode: "verify-full",
      sslRootCertificate: "system",
    },
  },
];

for (const { url, address } of READ) {
  Deno.test(`a database URL is read as libpq reads it: ${url}`, () => {
    assertEquals(parseServerUrl(url, "--database"), { ...NOTHING, ...address });
  });

  Deno.test(`a database URL survives being written and read again: ${url}`, () => {
    const read = parseServerUrl(url, "--database");
    const written = formatServerUrl(read, { password: true });
    assertEquals(parseServerUrl(written, "--database"), read);
  });
}

Deno.test("a database URL is written without its password on request", () => {
  const address = parseServerUrl("postgresql://ann:secret@db/shop", "--database");
  assertEquals(formatServerUrl(address, { password: false }), "postgresql://ann@db/shop");
});

const REFUSED: readonly { url: string; reason: string }[] = [
  { url: "mysql://ann:secret@db/shop", reason: "does not begin with postgresql://" },
  { url: "host=db password=secret", reason: "does not begin with postgresql://" },
  { url: "postgresql://ann:secret@db:port/shop", reason: "port is not a number" },
  { url: "postgresql://db:99999/shop", reason: "port is not a number" },
  { url: "postgresql://ann:se%cret@db/shop", reason: "the password holds a %" },
  { url: "postgresql://ann:secret@db/shop?schema=public", reason: 'parameter "schema"' },
  { url: "postgresql://ann:secret@db/shop?sslmode=allow", reason: "prefer tries TLS first" },
  { url: "postgresql://ann:secret@db/shop?sslmode=full", reason: "sslmode full is not one of" },
  {
    url: "postgresql://db/shop?sslmode=require&sslrootcert=system",
    reason: "sslrootcert=system needs sslmode=verify-full, and it has require",
  },
  // A `?` of the password that is not percent-encoded.
  { url: "postgresql://ann:1?secret@db/shop", reason: "may be a piece of the password" },
  { url: "postgresql://ann:1?sslmode=secret@db/shop", reason: "sslmode is not one of" },
  { url: "postgresql://ann:1?secret=%@db/shop", reason: "a parameter holds a %" },
  { url: "postgresql://ann:secret@[::1/shop", reason: "host is not NAME" },
];

for (const { url, reason } of REFUSED) {
  Deno.test(`a database URL is refused, and its password not repeated: ${url}`, () => {
    const error = assertThrows(() => parseServerUrl(url, "--database"), PgsluiceError, reason);
    assertEquals(error.code, "database-url");
    assertEquals(error.exitCode, 2);
    assertEquals(/secret|cret@/.test(error.message + error.hint), false);
  });
}
