import type { RenderedFile } from "./slices.ts";
import { CLOSES_SOCKETS } from "./socket-acl.ts";
import { unit } from "./unit-file.ts";

/** The paths on this host, absolute. */
export interface UnitPaths {
  readonly program: string;
  /** nixgate's version. A new version needs a restart of the supervisor. */
  readonly version: string;
  readonly configDirectory: string;
  readonly logDirectory: string;
  /** The primary group of an account. */
  readonly gidOf: (account: string) => number | undefined;
}

/** The option for a configuration in another folder than the usual one. */
export const where = (configDirectory: string) =>
  configDirectory === "/etc/nixgate" ? "" : ` --config-dir ${configDirectory}`;

/**
 * Seals the records regularly, because no seal finds a change that was made between two runs. Under this manager only root
 * can make such a change.
 */
export const SEAL_TIMER = unit(
  "nixgate-seal.timer",
  `[Unit]
Description=Seals of nixgate's records

[Timer]
OnCalendar=*:0/10
Persistent=true
`,
);

/** The service of that timer. */
export function sealService({ program, configDirectory }: UnitPaths): RenderedFile {
  return unit(
    "nixgate-seal.service",
    `[Unit]
Description=Seal nixgate's records

[Service]
Type=oneshot
# closes the sockets of PID 1 to the accounts again, because systemd may have made some anew
${CLOSES_SOCKETS}
ExecStart=${program} sessions seal${where(configDirectory)}
# bounds the time and the CPU, because an account may have filled its folder before the folder became root's
TimeoutStartSec=30min
CPUQuota=50%
# the key and the seals are in /var/lib/nixgate
StateDirectory=nixgate
StateDirectoryMode=0700
CapabilityBoundingSet=CAP_DAC_READ_SEARCH
NoNewPrivileges=yes
ProtectSystem=strict
ProtectHome=yes
PrivateTmp=yes
PrivateDevices=yes
PrivateNetwork=yes
RestrictAddressFamilies=AF_UNIX
RestrictNamespaces=yes
LockPersonality=yes
ProtectClock=yes
ProtectControlGroups=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM
`,
  );
}
