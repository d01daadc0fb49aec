/**
 * A process that uses the embedded server, for tests that kill one: holds the server of the data
 * folder named first, says so on stdout with the server's process id, and lets go when its stdin
 * ends.
 */
import { embeddedServerStatus, holdEmbeddedServer } from "../../src/database/embedded_server.ts";

const dataDirectory = Deno.args[0]!;
const hold = await holdEmbeddedServer(dataDirectory, { say: () => {} });
const { pid } = await embeddedServerStatus(dataDirectory);
await Deno.stdout.write(new TextEncoder().encode(`${pid}\n`));
for await (const _ of Deno.stdin.readable);
await hold.release();
