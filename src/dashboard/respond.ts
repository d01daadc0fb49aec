/** A page that is of this origin, and does nothing but show what comes from it. */
const SECURITY_HEADERS: Readonly<Record<string, string>> = {
  "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; " +
    "connect-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; " +
    "frame-ancestors 'none'",
  "cross-origin-embedder-policy": "require-corp",
  "cross-origin-opener-policy": "same-origin",
  "cross-origin-resource-policy": "same-origin",
  "referrer-policy": "no-referrer",
  "x-content-type-options": "nosniff",
};

export interface Content {
  readonly contentType: string;
  readonly body: string | ReadableStream<Uint8Array> | null;
  /** In addition to, or in place of, those that every answer has. */
  readonly headers?: Readonly<Record<string, string>>;
}

/** An answer with the headers that every answer of the dashboard has. */
export function respond(status: number, { contentType, body, headers = {} }: Content): Response {
  return new Response(body, {
    status,
    headers: {
      "content-type": contentType,
      "cache-control": "no-store",
      ...SECURITY_HEADERS,
      ...headers,
    },
  });
}
