const STEP = 1024;

/** `1.5 GiB`; the unit is one that leaves at most four digits. */
export function formatSize(sizeBytes: number): string {
  let size = sizeBytes / STEP;
  let unit = "KiB";
  for (const next of ["MiB", "GiB", "TiB", "PiB"]) {
    if (size < STEP) break;
    size /= STEP;
    unit = next;
  }
  return `${size.toFixed(1)} ${unit}`;
}
