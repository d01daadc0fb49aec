import { join } from "@std/path";
import { createCluster } from "../../src/database/cluster.ts";
import { connect } from "../../src/database/connect.ts";
import { clusterDirectory } from "../../src/database/server_home.ts";
import { newCluster, type OwnCluster, startOwnCluster } from "./own_cluster.ts";
import { hasOpenssl, TestAuthority } from "./test_certificates.ts";

/** A server of one test's own that speaks TLS, and TLS alone, on TCP. */
export interface TlsServer extends AsyncDisposable {
  readonly own: OwnCluster;
  /** The address of this machine that its certificate is for; on port 5432. */
  readonly address: string;
  /** Another one that it listens on. */
  readonly otherAddress: string;
  /** The folder of all certificates; it goes with the server. */
  readonly folder: string;
  /** That stands by the server's certificate, and whose certificates of clients the server takes. */
  readonly authority: TestAuthority;
}

/**
 * Starts one. Roles: `ann` needs a certificate of her own, `eve` nothing.
 *
 * @param options.extensions Of its certificate; those that name `localhost` and its address unless
 * given.
 * @param options.between Its certificate is signed by an authority that the first one stands by.
 */
export async function tlsServer(
  options: { extensions?: string; between?: boolean } = {},
): Promise<TlsServer> {
  const cluster = await newCluster();
  const folder = join(cluster.home, "certificates");
  await Deno.mkdir(folder, { mode: 0o755 });
  const authority = await TestAuthority.make(folder, "authority");
  const [address, otherAddress] = loopbackAddresses();
  const signer = options.between ? await authority.between("between") : authority;
  const { certificate, key } = await signer.sign({
    name: "server",
    commonName: "localhost",
    extensions: options.extensions ?? `subjectAltName=DNS:localhost,IP:${address}`,
  });
  if (options.between) {
    await Deno.writeTextFile(certificate, await Deno.readTextFile(signer.path), { append: true });
  }
  if (cluster.account !== null) {
    await Deno.chown(key, cluster.account.uid, cluster.account.gid);
  }
  await createCluster(cluster, {
    sync: false,
    settings: {
      fsync: "off",
      listen_addresses: `${address},${otherAddress}`,
      ssl: "on",
      ssl_cert_file: certificate,
      ssl_key_file: key,
      ssl_ca_file: authority.path,
    },
  });
  await Deno.writeTextFile(
    join(clusterDirectory(cluster.home), "pg_hba.conf"),
    [
      "local all all trust",
      "hostssl all ann 127.0.0.0/8 cert",
      "hostssl all eve 127.0.0.0/8 trust",
      "",
    ].join("\n"),
  );
  const own = await startOwnCluster(cluster);
  const client = await connect({ kind: "server", url: own.url }, { applicationName: "tls server" });
  await client.sql.unsafe("create role ann login; create role eve login");
  await client.close();
  return {
    own,
    address,
    otherAddress,
    folder,
    authority,
    [Symbol.asyncDispose]: () => own[Symbol.asyncDispose](),
  };
}

/** A server listens on port 5432: another one may be there on 127.0.0.1. */
function loopbackAddresses(): [string, string] {
  const [a, b] = crypto.getRandomValues(new Uint8Array(2));
  const network = `127.${1 + a! % 254}.${b}`;
  return [`${network}.1`, `${network}.2`];
}

/** Why the tests of TLS cannot run here; null if they can. */
export async function noTlsTests(): Promise<string | null> {
  if (Deno.build.os !== "linux") return "this machine has one address of its own, not a network";
  return await hasOpenssl() ? null : "there is no openssl";
}
