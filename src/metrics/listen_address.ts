import { EXIT, PgsluiceError } from "../pgsluice_error.ts";

/** Where connections are waited for. */
export interface ListenAddress {
  /** A name or address, without brackets. */
  readonly hostname: string;
  /** 0: any that is free. */
  readonly port: number;
}

const LOOPBACK = "127.0.0.1";
const LARGEST_PORT = 65_535;

/**
 * Reads `HOST:PORT`, `[IPV6]:PORT`, or `:PORT`, which is of this machine only.
 * @throws {PgsluiceError} `listen`
 */
export function parseListenAddress(text: string): ListenAddress {
  const match = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/@[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(match?.[3]);
  if (match === null || port > LARGEST_PORT) {
    throw new PgsluiceError("listen", `cannot listen on ${JSON.stringify(text)}`, {
      hint: "expected HOST:PORT or :PORT, as in 127.0.0.1:9464, [::1]:9464 or :9464",
      exitCode: EXIT.usage,
    });
  }
  return { hostname: match[1] ?? (match[2] || LOOPBACK), port };
}

/** As it is read. */
export function formatListenAddress({ hostname, port }: ListenAddress): string {
  return `${hostname.includes(":") ? `[${hostname}]` : hostname}:${port}`;
}

/** What a person is told when the system refuses an address. */
export function listenError(address: ListenAddress, cause: unknown): PgsluiceError {
  const hint = cause instanceof Deno.errors.AddrInUse
    ? "another process listens there: end it, or give another port"
    : cause instanceof Deno.errors.PermissionDenied
    ? "ports below 1024 are not for everybody: give another one"
    : "name an address of this machine, as in 127.0.0.1:9464";
  const why = cause instanceof Error ? cause.message : String(cause);
  return new PgsluiceError(
    "listen",
    `cannot listen on ${formatListenAddress(address)}: ${why}`,
    { hint, cause },
  );
}
