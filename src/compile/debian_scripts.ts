/**
 * What dpkg runs around the package's files. Nothing is done to a running system while the package
 * is put into another root (`DPKG_ROOT`), and to systemd only where it runs.
 */

const HEAD = `#!/bin/sh
set -e

systemd_runs() {
  [ -z "$DPKG_ROOT" ] && [ -d /run/systemd/system ]
}
`;

/** Makes the service's user; pipelines that ran go on with the new executable. */
export const POSTINST = `${HEAD}
if [ "$1" = configure ]; then
  if [ -z "$DPKG_ROOT" ]; then
    if command -v systemd-sysusers >/dev/null; then
      systemd-sysusers pgsluice.conf
    elif ! getent passwd pgsluice >/dev/null; then
      getent group pgsluice >/dev/null || groupadd --system pgsluice
      useradd --system --gid pgsluice --no-create-home --home-dir /var/lib/pgsluice \\
        --shell /usr/sbin/nologin pgsluice
    fi
  fi
  if systemd_runs; then
    systemctl daemon-reload
    if [ -n "$2" ]; then
      systemctl try-restart 'pgsluice@*.service' || true
    fi
  fi
fi
`;

/** Stops every pipeline; an upgrade lets them run until the new executable is there. */
export const PRERM = `${HEAD}
if [ "$1" = remove ] && systemd_runs; then
  systemctl stop 'pgsluice@*.service' || true
fi
`;

/**
 * Purging takes the configuration, what enabled the services, and the unpacked server's programs;
 * never /var/lib/pgsluice, which has journals and data, nor the user that owns it.
 */
export const POSTRM = `${HEAD}
if [ "$1" = purge ]; then
  rm -rf "$DPKG_ROOT/etc/pgsluice" "$DPKG_ROOT/var/cache/pgsluice"
  for wanted in "$DPKG_ROOT"/etc/systemd/system/*.wants/pgsluice@*.service; do
    if [ -L "$wanted" ]; then
      rm -f "$wanted"
    fi
  done
  if [ -d "$DPKG_ROOT/var/lib/pgsluice" ]; then
    echo "pgsluice: /var/lib/pgsluice is left as it is" >&2
  fi
fi
if systemd_runs; then
  systemctl daemon-reload || true
fi
`;
