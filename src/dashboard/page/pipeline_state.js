// @ts-check
/**
 * What a pipeline is doing, in a word and a sentence: what the server finds, and what the page knows
 * of its own connection.
 *
 * @typedef {import("../dashboard_facts.ts").Pulse} Pulse
 * @typedef {NonNullable<Pulse["pipeline"]>} Pipeline
 * @typedef {import("../dashboard_facts.ts").Totals} Totals
 * @typedef {import("../dashboard_facts.ts").Trouble} Trouble
 * @typedef {"good" | "calm" | "warn" | "bad"} Tone
 *
 * @typedef {object} PipelineState
 * @property {"connecting" | "lost" | "trouble" | "no-pipeline" | Pipeline["activity"]} kind
 * @property {string} word one or two
 * @property {string} sentence what is to be said beyond the word; may tell ages
 * @property {{ text: string, command: string } | null} toDo if something is to be done
 * @property {Tone} tone
 */
import { formatAge, formatCount } from "./number_format.js";
import { formatClock, zoneName } from "./time_format.js";

/** Troubles in which there is no database to be asked; in others it is there, and refuses. */
const DOWN = ["database-unreachable", "database-starting", "embedded-stopped", "embedded-start"];

/**
 * @param {object} known
 * @param {boolean} known.isLost
 * @param {Trouble | null} known.trouble
 * @param {Pulse | null} known.pulse
 * @param {Totals | null} known.totals
 * @param {number} known.atMs now, by the clock of what was told last
 * @returns {PipelineState}
 */
export function pipelineState({ isLost, trouble, pulse, totals, atMs }) {
  if (isLost) {
    const sentence = "no news from pgsluice";
    return { kind: "lost", word: "Not connected", sentence, toDo: null, tone: "bad" };
  }
  if (trouble !== null) {
    const sentence = `for ${formatAge(atMs - trouble.sinceMs)}`;
    return { kind: "trouble", word: troubleWord(trouble), sentence, toDo: null, tone: "bad" };
  }
  if (pulse === null) {
    return { kind: "connecting", word: "Connecting", sentence: "", toDo: null, tone: "calm" };
  }
  const { pipeline } = pulse;
  if (pipeline === null) {
    const sentence = "nothing has been ingested yet";
    return { kind: "no-pipeline", word: "Empty", sentence, toDo: null, tone: "calm" };
  }
  return { kind: pipeline.activity, ...activityState(pipeline, { totals, atMs }) };
}

/**
 * @param {Trouble} trouble
 */
export function troubleWord({ code }) {
  if (code === "status-late") return "No answer";
  return DOWN.includes(code) ? "Database down" : "Database trouble";
}

/**
 * @param {Pipeline} pipeline
 * @param {{ totals: Totals | null, atMs: number }} known
 * @returns {Omit<PipelineState, "kind">}
 */
function activityState(pipeline, { totals, atMs }) {
  const { activity, lastBatchAtMs, timeZone } = pipeline;
  const waiting = totals?.backlog?.files ?? 0;
  const age = lastBatchAtMs === null ? "" : formatAge(atMs - lastBatchAtMs);
  const since = lastBatchAtMs === null
    ? "nothing is committed yet"
    : `nothing is committed for ${age}`;
  switch (activity) {
    case "loading":
      return {
        word: "Loading",
        sentence: "what arrives is committed",
        toDo: null,
        tone: "good",
      };
    case "nothing-yet":
      return {
        word: "Idle",
        sentence: "no file has come yet",
        toDo: {
          text: "Put CSV files into the folder, or make some:",
          command: generateCommand(pipeline),
        },
        tone: "calm",
      };
    case "caught-up":
      return {
        word: "Idle",
        sentence: `all that came is committed; nothing new since ${
          formatClock(lastBatchAtMs ?? 0, timeZone)
        } ${zoneName(timeZone)} (${age})`,
        toDo: null,
        tone: "calm",
      };
    case "no-ingester":
      return {
        word: "No ingester",
        sentence: waiting === 0 ? "nobody loads what comes" : `${filesWait(waiting)} for one`,
        toDo: { text: "Start one:", command: ingestCommand(pipeline) },
        tone: "warn",
      };
    case "all-failed":
      return {
        word: "Needs you",
        sentence: `${needsText(totals)}, and there is no other file`,
        toDo: {
          text: "See what is wrong with them:",
          command: `pgsluice files list${pipelineFlag(pipeline)}`,
        },
        tone: "bad",
      };
    case "unfinished":
      return {
        word: "Idle",
        sentence: `${filesWait(waiting)} for --settle: the last record has no newline yet`,
        toDo: null,
        tone: "calm",
      };
    case "stuck":
      return {
        word: "Stuck",
        sentence: `${since}, and ${filesWait(waiting)}; the ingester's log tells why`,
        toDo: null,
        tone: "bad",
      };
    default:
      return { word: "Idle", sentence: since, toDo: null, tone: "calm" };
  }
}

/** @param {number} count */
function filesWait(count) {
  return count === 1 ? "1 file waits" : `${formatCount(count)} files wait`;
}

/** @param {Totals | null} totals */
function needsText(totals) {
  const { failed = 0, held = 0 } = totals?.filesByState ?? {};
  return [
    ...(failed > 0 ? [`${formatCount(failed)} failed`] : []),
    ...(held > 0 ? [`${formatCount(held)} held`] : []),
  ].join(" and ");
}

/** @param {Pipeline} pipeline */
function ingestCommand(pipeline) {
  const { sourceKind, sourcePath } = pipeline;
  const source = sourceKind === "stdin" ? "-" : shellWord(sourcePath);
  return `pgsluice ingest ${source}${pipelineFlag(pipeline)}`;
}

/** @param {Pipeline} pipeline */
function generateCommand({ sourcePath }) {
  return `pgsluice generate --rate 100 --out ${shellWord(sourcePath)}`;
}

/** @param {Pipeline} pipeline */
function pipelineFlag({ name }) {
  return name === "default" ? "" : ` --pipeline ${shellWord(name)}`;
}

/**
 * So that it can be typed as it stands.
 * @param {string} text
 */
function shellWord(text) {
  return /^[\w./:@%+=-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
