import { connect, type DatabaseClient, type Sql } from "../../src/database/connect.ts";
import { type DatabaseTarget, withDatabase } from "../../src/database/database_target.ts";
import { type OwnCluster, ownCluster } from "../database/own_cluster.ts";
import { type IngestPlace, withPlace } from "../support/ingest_fixture.ts";

const DATABASE = "shop";

/** A place on a server of its own, which the test may stop. */
export interface OwnPlace extends IngestPlace {
  readonly server: OwnCluster;
  /** Of the place's database on another server. */
  urlOn(server: OwnCluster): string;
  /** Makes `database.sql` anew, after the server was away; on another one, if it is given. */
  reconnect(server?: OwnCluster): Promise<void>;
}

export async function withOwnPlace(
  use: (place: OwnPlace) => Promise<void>,
  options: { settings?: Readonly<Record<string, string>> } = {},
): Promise<void> {
  await using server = await ownCluster(options);
  const maintenance = await connect(targetOf(server.url), { applicationName: "test" });
  await maintenance.sql.unsafe(`create database ${DATABASE}`);
  await maintenance.close();
  const urlOn = ({ url }: OwnCluster) => targetOf(url, DATABASE).url;
  const open = (url: string) =>
    connect(targetOf(url), { applicationName: "test", maxConnections: 2 });
  let client: DatabaseClient = await open(urlOn(server));
  const drop = () => client.close();
  const database = {
    url: urlOn(server),
    target: targetOf(urlOn(server)),
    get sql(): Sql {
      return client.sql;
    },
    drop,
    [Symbol.asyncDispose]: drop,
  };
  await withPlace(database, (place) =>
    use({
      ...place,
      server,
      urlOn,
      reconnect: async (other = server) => {
        client.destroy();
        await client.close();
        client = await open(urlOn(other));
      },
    }));
}

function targetOf(url: string, database?: string): DatabaseTarget & { kind: "server" } {
  const target: DatabaseTarget = { kind: "server", url };
  const named = database === undefined ? target : withDatabase(target, database);
  if (named.kind !== "server") throw new TypeError("a server has a URL");
  return named;
}
