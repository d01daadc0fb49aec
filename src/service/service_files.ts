import { SERVICE_USER, UNIT_NAME, unitText } from "./unit.ts";

export interface ServiceFile {
  /** Below the root. */
  readonly path: string;
  readonly text: string;
  readonly mode: number;
}

/** One folder of configuration for all pipelines. */
export const CONFIG_FOLDER = "etc/pgsluice";

/** What makes the user, now or when the machine starts. @see sysusers.d(5) */
export const SYSUSERS_TEXT = `u ${SERVICE_USER} - "pgsluice" /var/lib/pgsluice /usr/sbin/nologin\n`;

/** What belongs to the service itself, whatever pipelines there are. */
export function serviceFiles(options: { executable: string }): ServiceFile[] {
  return [
    { path: `etc/systemd/system/${UNIT_NAME}`, text: unitText(options), mode: 0o644 },
    { path: "etc/sysusers.d/pgsluice.conf", text: SYSUSERS_TEXT, mode: 0o644 },
  ];
}

/**
 * A configuration to begin with: it works as it is, with events from the default folder and an
 * embedded server. It holds what a pipeline is bound to at its first start.
 */
export function exampleConfig(pipeline: string): ServiceFile {
  return {
    path: `${CONFIG_FOLDER}/${pipeline}.json`,
    text: `${JSON.stringify({ table: "user_events", timezone: "UTC" }, null, 2)}\n`,
    // a database's URL in it may hold a password
    mode: 0o640,
  };
}
