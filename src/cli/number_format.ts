/** Numbers for people, in English notation, whatever the locale of the machine. */

const COUNT = new Intl.NumberFormat("en-US", { maximumFractionDigits: 0 });

/** `1234567` is `1,234,567`. */
export function formatCount(count: number | bigint): string {
  return COUNT.format(count);
}

/** `1536` is `1.5 KiB`. */
export function formatBytes(sizeBytes: number): string {
  if (sizeBytes < 1024) return `${sizeBytes} B`;
  const units = ["KiB", "MiB", "GiB", "TiB", "PiB"];
  let size = sizeBytes / 1024;
  // what rounds to 1024.0 belongs to the next unit
  while (size >= 1023.95 && units.length > 1) {
    size /= 1024;
    units.shift();
  }
  return `${size.toFixed(1)} ${units[0]}`;
}

/** `1.5 ms`, `850 ms`, `12.3 s`, `2m 05s`, `1h 02m`, `3d 04h`. */
export function formatDuration(durationMs: number): string {
  if (durationMs < 9.95) return `${durationMs.toFixed(1)} ms`;
  if (durationMs < 999.5) return `${Math.round(durationMs)} ms`;
  if (durationMs < 59_950) return `${(durationMs / 1000).toFixed(1)} s`;
  const seconds = Math.round(durationMs / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${twoDigits(seconds % 60)}s`;
  const minutes = Math.round(durationMs / 60_000);
  if (minutes < 1440) return `${Math.floor(minutes / 60)}h ${twoDigits(minutes % 60)}m`;
  const hours = Math.round(durationMs / 3_600_000);
  return `${Math.floor(hours / 24)}d ${twoDigits(hours % 24)}h`;
}

/** `12345.6` of `rows` is `12,346 rows/s`. */
export function formatRate(perSecond: number, unit: string): string {
  return `${formatCount(perSecond)} ${unit}/s`;
}

function twoDigits(whole: number): string {
  return String(whole).padStart(2, "0");
}
