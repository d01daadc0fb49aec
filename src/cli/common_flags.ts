/** Flags that several commands take, each declared once. */
import type { Flag } from "./command.ts";

/** Taken by every command, without being in its table; no key of the file that it names. */
export const configFlag: Flag = {
  name: "config",
  kind: "text",
  placeholder: "FILE",
  summary: "a JSON file whose keys are the names of flags",
};

export const databaseFlag: Flag = {
  name: "database",
  kind: "text",
  placeholder: "URL",
  summary: "the PostgreSQL server, as in postgres://user@host/name",
  defaultText: "DATABASE_URL, else the credential database-url, else PG*, else the embedded server",
};

export const tableFlag: Flag = {
  name: "table",
  kind: "text",
  placeholder: "NAME",
  summary: "the table that events are loaded into",
  defaultText: "user_events",
};

export const pipelineFlag: Flag = {
  name: "pipeline",
  kind: "text",
  placeholder: "NAME",
  summary: "the pipeline, which is bound to one source and one table",
  defaultText: "default",
};

export const checkpointsFlag: Flag = {
  name: "checkpoints",
  kind: "text",
  placeholder: "DIR",
  summary: "where the journals are kept, one folder a pipeline",
  defaultText: "./checkpoints",
};

export const timezoneFlag: Flag = {
  name: "timezone",
  kind: "text",
  placeholder: "ZONE",
  summary: "the zone of times without one, and of event_date and event_hour",
  defaultText: "UTC",
};

export const sinceFlag: Flag = {
  name: "since",
  kind: "moment",
  placeholder: "TIME",
  summary: "from there on, as in 2026-03-14T10:00; or so long before, as in 1h",
};

export const jsonFlag: Flag = {
  name: "json",
  kind: "switch",
  summary: "the same facts as one JSON object",
};

export const quietFlag: Flag = {
  name: "quiet",
  kind: "switch",
  summary: "say nothing on stderr but errors",
};

export const logFormatFlag: Flag = {
  name: "log-format",
  kind: "text",
  placeholder: "FORMAT",
  choices: ["text", "json"],
  summary: "lines on stderr for people, or a JSON object each",
  defaultText: "text; with priorities where systemd's journal reads it",
};

export const logLevelFlag: Flag = {
  name: "log-level",
  kind: "text",
  placeholder: "LEVEL",
  choices: ["warning", "info", "debug"],
  summary: "the least grave lines that are written; debug has one for each batch",
  defaultText: "info",
};
