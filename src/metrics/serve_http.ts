import { listenError, parseListenAddress } from "./listen_address.ts";

/**
 * Answers requests until the signal, which ends all connections at once.
 * @param listen as `parseListenAddress` reads it
 * @throws {PgsluiceError} `listen`
 */
export function serveHttp(
  listen: string,
  { signal, handler, onError }: {
    signal: AbortSignal;
    handler: (request: Request) => Response | Promise<Response>;
    /** Answers in place of a handler that failed. */
    onError: (message: string) => Response;
  },
): Deno.HttpServer<Deno.NetAddr> {
  const address = parseListenAddress(listen);
  try {
    return Deno.serve({
      ...address,
      signal,
      onListen: () => {}, // the shell says so
      onError: (error) => onError(error instanceof Error ? error.message : String(error)),
      handler,
    });
  } catch (error) {
    throw listenError(address, error);
  }
}
