import { hasOwnerSql } from "../sink/has_owner_sql.ts";

/** What every look at a pipeline shows of it, as selected from `pgsluice.pipelines`. */
export const PIPELINE_COLUMNS = `
  pipeline_id::float8 as "pipelineId",
  name,
  source_kind as "sourceKind",
  source_host as "sourceHost",
  source_path as "sourcePath",
  target_table as "targetTable",
  time_zone as "timeZone",
  ${hasOwnerSql("name")} as "hasOwner",
  (
    select (extract(epoch from committed_at) * 1000)::float8
    from pgsluice.batches
    where batches.pipeline_id = pipelines.pipeline_id
    order by batch_id desc
    limit 1
  ) as "lastBatchAtMs"`;
