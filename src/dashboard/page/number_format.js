// @ts-check
/** Numbers for people, as `src/cli/number_format.ts` has them: in English, whatever the browser's. */

const COUNT = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });
const BYTE_UNITS = ["KiB", "MiB", "GiB", "TiB", "PiB"];

/**
 * `1234567` is `1,234,567`.
 * @param {number | bigint} count
 */
export function formatCount(count) {
  return COUNT.format(count);
}

/**
 * `1, "file"` is `1 file`, `2, "file"` is `2 files`.
 * @param {number} count
 * @param {string} noun
 */
export function formatCountOf(count, noun) {
  return `${formatCount(count)} ${noun}${count === 1 ? "" : "s"}`;
}

/**
 * `1536` is `1.5 KiB`.
 * @param {number} sizeBytes
 */
export function formatBytes(sizeBytes) {
  if (sizeBytes < 1024) return `${Math.round(sizeBytes)} B`;
  let size = sizeBytes / 1024;
  let unit = 0;
  // what rounds to 1024.0 belongs to the next unit
  while (size >= 1023.95 && unit < BYTE_UNITS.length - 1) {
    size /= 1024;
    unit++;
  }
  return `${size.toFixed(1)} ${BYTE_UNITS[unit]}`;
}

/**
 * `1.5 ms`, `850 ms`, `12.3 s`, `2m 05s`, `1h 02m`, `3d 04h`.
 * @param {number} durationMs
 */
export function formatDuration(durationMs) {
  if (durationMs < 9.95) return `${durationMs.toFixed(1)} ms`;
  if (durationMs < 999.5) return `${Math.round(durationMs)} ms`;
  if (durationMs < 59_950) return `${(durationMs / 1000).toFixed(1)} s`;
  return formatMinutes(durationMs);
}

/**
 * In whole seconds, for what grows while one looks: `0 s`, `59 s`, `2m 05s`, `1h 02m`, `3d 04h`.
 * @param {number} durationMs
 */
export function formatAge(durationMs) {
  const seconds = Math.max(0, Math.floor(durationMs / 1000));
  return seconds < 60 ? `${seconds} s` : formatMinutes(seconds * 1000);
}

/**
 * `just now`, `59 s ago`, `2m 05s ago`.
 * @param {number} ageMs
 */
export function formatAgo(ageMs) {
  return ageMs < 1000 ? "just now" : `${formatAge(ageMs)} ago`;
}

/** @param {number} durationMs */
function formatMinutes(durationMs) {
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${twoDigits(seconds % 60)}s`;
  const minutes = Math.round(durationMs / 60_000);
  if (minutes < 1440) return `${Math.floor(minutes / 60)}h ${twoDigits(minutes % 60)}m`;
  const hours = Math.round(durationMs / 3_600_000);
  return `${Math.floor(hours / 24)}d ${twoDigits(hours % 24)}h`;
}

/**
 * The number of a rate, without its unit; what is less than ten has a decimal: `0.2`, `1,234`.
 * @param {number} perSecond
 */
export function formatRate(perSecond) {
  const isSmall = perSecond > 0 && perSecond < 9.95;
  return isSmall ? Math.max(0.1, perSecond).toFixed(1) : formatCount(perSecond);
}

/**
 * `0.0193` is `1.9 %`. What is not all and not nothing is never shown as that.
 * @param {number} share 0 to 1
 */
export function formatShare(share) {
  if (share <= 0) return "0 %";
  if (share >= 1) return "100 %";
  const percent = share * 100;
  if (percent < 0.05) return "< 0.1 %";
  if (percent > 99.9) return "> 99.9 %";
  return percent < 9.95
    ? `${percent.toFixed(1)} %`
    : percent > 99
    ? `${percent.toFixed(1)} %`
    : `${Math.round(percent)} %`;
}

/** @param {number} whole */
function twoDigits(whole) {
  return String(whole).padStart(2, "0");
}
