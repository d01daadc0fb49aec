import { START_PATIENCE_MS } from "./service_observer.ts";

/** The unit's file; the part after `@` is the pipeline. */
export const UNIT_NAME = "pgsluice@.service";

/** The system user that every pipeline's service runs as. */
export const SERVICE_USER = "pgsluice";

/**
 * Every option that `systemd-analyze security` asks for is in the unit, or a comment in it says why
 * not.
 *
 * @param options.executable The absolute path of pgsluice, without quotes and backslashes.
 * @param options.pipeline The unit is then of this pipeline alone, not a template.
 * @see systemd.service(5), systemd.exec(5)
 */
export function unitText(
  { executable, pipeline }: { executable: string; pipeline?: string },
): string {
  const text = [...sectionUnit(), ...sectionService(quotePath(executable)), ...sectionInstall()]
    .join("\n");
  return `${pipeline === undefined ? text : text.replaceAll("%i", pipeline)}\n`;
}

function sectionUnit(): string[] {
  return [
    "# Loads the events of one pipeline, which the name after the @ is, into PostgreSQL.",
    "# Changes: systemctl edit pgsluice@NAME",
    "[Unit]",
    "Description=pgsluice, pipeline %i: CSV events into PostgreSQL",
    "Wants=network-online.target",
    "After=network-online.target postgresql.service",
    "# no limit: what keeps it from running, as a password, may be mended elsewhere",
    "StartLimitIntervalSec=0",
    "",
  ];
}

function sectionService(executable: string): string[] {
  return [...running(executable), ...files(), ...limits(), ...sandbox()];
}

function running(executable: string): string[] {
  return [
    "[Service]",
    "# it says when the first scan is done, or that it stands by for another ingester; while it",
    "# waits for its database it goes on starting",
    "Type=notify",
    "NotifyAccess=main",
    `ExecStart=${executable} ingest --config /etc/pgsluice/%i.json --pipeline %i`,
    "# of a start that hangs: one that goes on asks for more time",
    `TimeoutStartSec=${START_PATIENCE_MS / 60_000}min`,
    "# a transaction without progress is given up after 60 s, and told by then",
    "WatchdogSec=3min",
    "Restart=on-failure",
    "RestartSec=10s",
    "# a wrong command line or configuration, bad data: no restart mends that",
    "RestartPreventExitStatus=2 3",
    "# stopped before there was anything to finish",
    "SuccessExitStatus=143",
    "# 10 s for the open batch, the rest for an embedded server; SIGTERM to pgsluice alone, which",
    "# stops its server itself, and SIGKILL to what is left",
    "KillMode=mixed",
    "TimeoutStopSec=90s",
    "",
  ];
}

function files(): string[] {
  return [
    "# One user for all pipelines, and a lasting one: folders of events can be given to it, as by",
    `# setfacl -m u:${SERVICE_USER}:rx DIR`,
    `User=${SERVICE_USER}`,
    `Group=${SERVICE_USER}`,
    "UMask=0027",
    "# journals, the default folder of events, the data of an embedded server",
    "StateDirectory=pgsluice/%i",
    "StateDirectoryMode=0750",
    "WorkingDirectory=%S/pgsluice/%i",
    "Environment=PGSLUICE_HOME=%S/pgsluice/%i",
    "# each of the runtime's threads would keep some MiB to itself: 30 in all after 20 minutes",
    "Environment=MALLOC_ARENA_MAX=2",
    "# the programs of an embedded server, apart from those that root runs",
    "CacheDirectory=pgsluice/service",
    "Environment=XDG_CACHE_HOME=%C/pgsluice/service",
    "# the password is in /etc/credstore/pgsluice.NAME.database-password, if there is one; before",
    "# systemd 252 the path has to be given: LoadCredential=database-password:/PATH",
    "LoadCredential=database-password:pgsluice.%i.database-password",
    "# Everything else is read-only. --after archive=DIR and --after delete need more:",
    "# ReadWritePaths=DIR",
    "ProtectSystem=strict",
    "# not hidden: events are often below /home, and who may read them is for their owner to say",
    "ProtectHome=read-only",
    "PrivateTmp=yes",
    "",
  ];
}

function limits(): string[] {
  return [
    "MemoryMax=2G",
    "TasksMax=512",
    "LimitNOFILE=65536",
    "# events and passwords are in its memory",
    "LimitCORE=0",
    "",
  ];
}

function sandbox(): string[] {
  return [
    "NoNewPrivileges=yes",
    "CapabilityBoundingSet=",
    "AmbientCapabilities=",
    "PrivateDevices=yes",
    "DevicePolicy=closed",
    "ProtectClock=yes",
    "ProtectControlGroups=yes",
    "ProtectHostname=yes",
    "ProtectKernelLogs=yes",
    "ProtectKernelModules=yes",
    "ProtectKernelTunables=yes",
    "ProtectProc=invisible",
    "LockPersonality=yes",
    "RestrictNamespaces=yes",
    "RestrictRealtime=yes",
    "RestrictSUIDSGID=yes",
    "RestrictAddressFamilies=AF_UNIX AF_INET AF_INET6",
    "SystemCallArchitectures=native",
    "SystemCallFilter=@system-service",
    "SystemCallFilter=~@privileged @resources",
    "SystemCallErrorNumber=EPERM",
    "# V8 compiles what runs often into memory that it then executes",
    "MemoryDenyWriteExecute=no",
    "# not set: RemoveIPC, because the pipelines share a user, and one that ends would take the",
    "# shared memory of another one's embedded server; PrivateNetwork, PrivateUsers and",
    "# IPAddressDeny, because of databases elsewhere and files of other users; ProcSubset, because",
    "# what a killed embedded server left behind is found by /proc/sysvipc",
    "",
  ];
}

function sectionInstall(): string[] {
  return ["[Install]", "WantedBy=multi-user.target"];
}

/** @see systemd.syntax(7) for quotes, systemd.unit(5) for specifiers */
function quotePath(path: string): string {
  const escaped = path.replaceAll("%", "%%");
  return /^[\w/.@%+:-]+$/.test(escaped) ? escaped : `"${escaped}"`;
}
