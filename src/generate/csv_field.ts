/** One CSV field as RFC 4180 writes it: in quotes only where it must be. */
export function csvField(text: string): string {
  return /[",\r\n]/.test(text) ? quotedCsvField(text) : text;
}

/** One CSV field in quotes, which RFC 4180 allows for any. */
export function quotedCsvField(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
