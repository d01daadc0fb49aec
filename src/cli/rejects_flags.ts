/** Flags that choose rejects, for the commands on them. */
import type { RejectFilter } from "../rejects/reject_filter.ts";
import type { Flag, FlagValues } from "./command.ts";
import { sinceFlag } from "./common_flags.ts";
import { parseMoment } from "./moment.ts";
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
  { ...sinceFlag, summary: "only those rejected since then, as in 1h or 2026-03-14T10:00" },
];

/** @throws PgsluiceError `no-such-file` */
export async function filterFromFlags(
  flags: FlagValues,
  { sql, pipeline }: PipelineSession,
): Promise<RejectFilter> {
  const { findPath } = await import("../rejects/reject_filter.ts");
  const file = flags.text("file");
  const code = flags.text("code");
  const since = parseMoment(flags.text("since") ?? "");
  const sinceMs = since?.kind === "ago"
    ? Date.now() - since.durationMs
    : since?.at(pipeline.timeZone);
  return {
    ...(file !== undefined && { path: await findPath(sql, pipeline, file) }),
    ...(code !== undefined && { code }),
    ...(sinceMs !== undefined && { sinceMs }),
  };
}
