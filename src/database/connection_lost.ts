/** An error that `faultKind` takes for a lost connection, where this program gave it up itself. */
export function connectionLost(message: string, cause?: unknown): Error {
  return Object.assign(new Error(message, { cause }), { code: "CONNECTION_CLOSED" });
}
