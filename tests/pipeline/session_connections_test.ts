import { assert, assertEquals, assertRejects } from "@std/assert";
import { SessionConnections } from "../../src/pipeline/session_connections.ts";

class FakeConnection {
  readonly did: string[] = [];

  close(): Promise<void> {
    this.did.push("close");
    return Promise.resolve();
  }

  destroy(): void {
    this.did.push("destroy");
  }
}

Deno.test("connections of a session end with it", async () => {
  const connections = new SessionConnections();
  const [first, second] = [new FakeConnection(), new FakeConnection()];
  assert(await connections.open(Promise.resolve(first)) === first);
  await connections.open(Promise.resolve(second));
  await connections.close();
  assertEquals([first.did, second.did], [["close"], ["close"]]);
});

for (const how of ["close", "destroy"] as const) {
  Deno.test(`a connection that is made after ${how}() is waited for, and dropped`, async () => {
    const connections = new SessionConnections();
    const made = Promise.withResolvers<FakeConnection>();
    const opening = connections.open(made.promise);
    const refused = assertRejects(() => opening, Error, "the session ended");
    if (how === "destroy") connections.destroy();
    let isClosed = false;
    const closing = connections.close().then(() => isClosed = true);
    // whatever would end without waiting has ended by then
    await new Promise((resolve) => setTimeout(resolve));
    assertEquals(isClosed, false);
    const late = new FakeConnection();
    made.resolve(late);
    await refused;
    await closing;
    assertEquals(late.did, ["destroy", "close"]);
  });
}

Deno.test("a connection that cannot be made is nothing to close", async () => {
  const connections = new SessionConnections();
  const opening = connections.open(Promise.reject(new Error("too many connections")));
  await assertRejects(() => opening, Error, "too many");
  await connections.close();
});
