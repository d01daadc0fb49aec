/** What systemd is told, by name, as in `READY` → `1`. @see sd_notify(3) */
export type NotifyFields = Readonly<Record<string, string>>;

export interface NotifySocketOptions {
  /** Called once, with a sentence, if systemd cannot be told. */
  readonly onTrouble: (message: string) => void;
}

const ENCODER = new TextEncoder();

/** A status is one line of `systemctl status`. */
const LONGEST_VALUE = 400;

/**
 * The socket on which systemd hears of its service.
 *
 * - At most one message is on its way. What is told meanwhile waits in one message, where a newer
 *   value of a field replaces the older one: memory is bounded however long systemd does not listen.
 * - A message that could not be sent goes with the next one, so that a READY is not lost.
 * - Nothing here throws, and nobody waits.
 */
export class NotifySocket {
  readonly #address: Deno.UnixAddr;
  readonly #options: NotifySocketOptions;
  readonly #socket: Deno.DatagramConn;
  #waiting: NotifyFields = {};
  #isSending = false;
  #isClosed = false;
  #saidTrouble = false;

  /** @throws if this process cannot make a socket */
  private constructor(path: string, options: NotifySocketOptions) {
    this.#address = { transport: "unixpacket", path };
    this.#options = options;
    // without a path of its own the kernel names it, and nothing is left in a folder
    this.#socket = Deno.listenDatagram({ transport: "unixpacket", path: "" });
  }

  /**
   * @param address `NOTIFY_SOCKET`. One that is no path (an abstract socket, a vsock) is said to be
   * out of reach.
   */
  static open(address: string | undefined, options: NotifySocketOptions): NotifySocket | null {
    if (!address) return null;
    if (!address.startsWith("/")) {
      options.onTrouble(`systemd is not told anything: NOTIFY_SOCKET=${address} is not a path`);
      return null;
    }
    try {
      return new NotifySocket(address, options);
    } catch (error) {
      options.onTrouble(`systemd is not told anything: ${messageOf(error)}`);
      return null;
    }
  }

  notify(fields: NotifyFields): void {
    if (this.#isClosed) return;
    this.#waiting = { ...this.#waiting, ...fields };
    if (!this.#isSending) void this.#send();
  }

  /** Nothing is told from now on. Twice is safe. */
  close(): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#socket.close();
  }

  async #send(): Promise<void> {
    this.#isSending = true;
    while (!this.#isClosed && Object.keys(this.#waiting).length > 0) {
      const fields = this.#waiting;
      this.#waiting = {};
      try {
        await this.#socket.send(encode(fields), this.#address);
      } catch (error) {
        this.#waiting = { ...fields, ...this.#waiting };
        this.#trouble(error);
        break;
      }
    }
    this.#isSending = false;
  }

  #trouble(error: unknown): void {
    if (this.#isClosed || this.#saidTrouble) return;
    this.#saidTrouble = true;
    this.#options.onTrouble(`cannot tell systemd how it goes: ${messageOf(error)}`);
  }
}

function encode(fields: NotifyFields): Uint8Array {
  const lines = Object.entries(fields).map(([name, value]) => `${name}=${oneLine(value)}\n`);
  return ENCODER.encode(lines.join(""));
}

/** A line more would be a field more. */
function oneLine(value: string): string {
  const line = value.replace(/\p{Cc}+/gu, " ");
  return line.length <= LONGEST_VALUE ? line : `${line.slice(0, LONGEST_VALUE - 1)}…`;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
