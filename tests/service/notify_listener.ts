import { join } from "@std/path";
import { until } from "../support/until.ts";

/** What stands for systemd: a real notify socket, which keeps what it hears. */
export class NotifyListener {
  readonly path: string;
  readonly messages: string[] = [];
  readonly #socket: Deno.DatagramConn;
  #listening: Promise<void> | null = null;

  constructor(directory: string) {
    this.path = join(directory, "notify");
    this.#socket = Deno.listenDatagram({ transport: "unixpacket", path: this.path });
  }

  /** All fields so far, in the order in which they were told, as in `READY=1`. */
  get fields(): string[] {
    return this.messages.flatMap((message) => message.trimEnd().split("\n"));
  }

  listen(): void {
    this.#listening = this.#receive();
  }

  /** Resolves when what was heard is such that the condition holds. */
  async until(condition: () => boolean): Promise<void> {
    await until("systemd is told", condition);
  }

  /** Twice is safe. */
  async close(): Promise<void> {
    try {
      this.#socket.close();
    } catch {
      // it was closed before
    }
    await this.#listening;
  }

  async #receive(): Promise<void> {
    for await (const [bytes] of this.#socket) {
      this.messages.push(new TextDecoder().decode(bytes));
    }
  }
}

/** With a socket in a folder of its own, removed afterwards. */
export async function withNotifyListener(
  use: (listener: NotifyListener) => Promise<void>,
): Promise<void> {
  const directory = await Deno.makeTempDir();
  const listener = new NotifyListener(directory);
  try {
    await use(listener);
  } finally {
    await listener.close();
    await Deno.remove(directory, { recursive: true });
  }
}
