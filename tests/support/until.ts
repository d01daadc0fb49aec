const POLL_MS = 10;
/** Far beyond what any machine needs. */
const DEADLINE_MS = 60_000;

/** Resolves when the condition holds, which it looks at again and again. */
export async function until(
  what: string,
  condition: () => Promise<boolean> | boolean,
): Promise<void> {
  for (const deadlineMs = performance.now() + DEADLINE_MS; !await condition();) {
    if (performance.now() > deadlineMs) throw new Error(`it never came to pass: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, POLL_MS));
  }
}
