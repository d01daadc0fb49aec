/** Flags that choose rejects, for the commands on them. */
import type { RejectFilter } from "../rejects/reject_filter.ts";
import type { Flag, FlagValues } from "./command.ts";
import type { PipelineSession } from "./pipeline_session.ts";

export const FILTER_FLAGS: readonly Flag[] = [
  {
    name: "file",
    kind: "text",
    placeholder: "FILE",
    summary: "only those of this file",
  },
  {
    name: "code",
    kind: "text",
    placeholder: "CODE",
    summary: "only those with this code, as in bad_number",
  },
  {
    name: "since",
    kind: "instant",
    placeholder: "INSTANT",
    summary: "only those rejected at that time or later",
  },
];

/** @throws PgsluiceError `no-such-file` */
export async function filterFromFlags(
  flags: FlagValues,
  { sql, pipeline }: PipelineSession,
): Promise<RejectFilter> {
  const { findPath } = await import("../rejects/reject_filter.ts");
  const file = flags.text("file");
  const code = flags.text("code");
  const sinceMs = flags.number("since");
  return {
    ...(file !== undefined && { path: await findPath(sql, pipeline, file) }),
    ...(code !== undefined && { code }),
    ...(sinceMs !== undefined && { sinceMs }),
  };
}
