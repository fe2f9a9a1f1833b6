import type { Policy } from "../policy/policy.ts";
import { sliceName } from "../scope/names.ts";
import { limitProperties } from "../scope/properties.ts";
import { digest } from "../units/digest.ts";
import { busPolicy } from "./bus-policy.ts";
import { NO_TRACING, noManager } from "./confine-account.ts";
import type { Rendered, RenderedFile, UidOf } from "./slices.ts";
import { unit } from "./unit-file.ts";

/** The environment variable that tells which text of nixgate.service started the running supervisor. */
export const RENDERED = "NIXGATE_RENDERED";

/** The paths on this host, absolute. */
export interface UnitPaths {
  readonly program: string;
  /** nixgate's version. A new version needs a restart of the supervisor. */
  readonly version: string;
  readonly configDirectory: string;
  readonly logDirectory: string;
}

/**
 * The units of manager = "system": the service, a socket unit with the FIFO of each team, and the slices. One socket
 * unit cannot give each of its FIFOs an owner of its own (SocketUser= of systemd.socket(5)), so each team has one.
 */
export function renderUnits(
  policies: readonly Policy[],
  accountsOf: (policy: Policy) => readonly string[],
  uidOf: UidOf,
  places: UnitPaths,
): Rendered {
  const served = policies.flatMap((policy) => {
    const account = accountsOf(policy).find((name) => uidOf(name) !== undefined);
    const uid = account === undefined ? undefined : uidOf(account);
    return account === undefined || uid === undefined ? [] : [{ policy, account, uid }];
  });
  const files = [
    service(
      served.map(({ policy }) => policy),
      places,
    ),
    CONTROL,
    NO_TRACING,
    busPolicy(served.map(({ account }) => account)),
    sealing(places),
    SEAL_TIMER,
    ...served.flatMap(({ policy, account, uid }) => [socket(policy, account), slice(policy), noManager(account, uid)]),
  ];
  const omitted = policies
    .filter((policy) => !served.some((one) => one.policy === policy))
    .map((policy) => {
      const accounts = accountsOf(policy);
      return {
        about: `team ${policy.team}: there is no account ${accounts.join(" or ")} on this host`,
        fix: `useradd --system --create-home --shell /bin/sh ${accounts.at(-1)}, then render again`,
      };
    });
  return { files, omitted };
}

const where = (configDirectory: string) =>
  configDirectory === "/etc/nixgate" ? "" : ` --config-dir ${configDirectory}`;

const socketName = (team: string) => `nixgate-${team}.socket`;

/** The socket by which root tells the supervisor to end a session; `nixgate sessions kill` writes to it. */
const CONTROL = unit(
  "nixgate.socket",
  `[Unit]
Description=Control FIFO of nixgate

[Socket]
ListenFIFO=/run/nixgate/_control
SocketMode=0600
DirectoryMode=0755
FileDescriptorName=_control
Service=nixgate.service
RemoveOnStop=yes
`,
);

/**
 * Seals the records regularly, because no seal finds a change that was made between two runs. Under this manager such a
 * change takes root, and it shows nevertheless.
 */
const SEAL_TIMER = unit(
  "nixgate-seal.timer",
  `[Unit]
Description=Seals of nixgate's records

[Timer]
OnCalendar=*:0/10
Persistent=true
`,
);

function sealing({ program, configDirectory }: UnitPaths): RenderedFile {
  return unit(
    "nixgate-seal.service",
    `[Unit]
Description=Seal nixgate's records

[Service]
Type=oneshot
ExecStart=${program} sessions seal${where(configDirectory)}
# an account may have filled its folder before it became root's: reading it takes neither the host's CPU nor for ever
TimeoutStartSec=30min
CPUQuota=50%
# its key and its seals: /var/lib/nixgate
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

function socket({ team }: Policy, account: string): RenderedFile {
  return unit(
    socketName(team),
    `# Only ${account} may write into it; systemd holds it open, so that nobody waits in vain while the service restarts.
[Unit]
Description=Requests of team ${team} for nixgate

[Socket]
ListenFIFO=/run/nixgate/${team}/requests
SocketUser=${account}
SocketMode=0200
DirectoryMode=0755
FileDescriptorName=${team}
Service=nixgate.service
RemoveOnStop=yes
`,
  );
}

function slice(policy: Policy): RenderedFile {
  const limits = limitProperties(policy.teamLimits).map(({ name, value }) => `${name}=${value}\n`);
  return unit(
    sliceName(policy.team),
    `# [team_limits] of the policy, around all sessions of the team. The supervisor changes them when the policy changes.
[Unit]
Description=Nix sessions of team ${policy.team}

[Slice]
${limits.join("")}`,
  );
}

/** The sandbox of systemd.exec(5), as far as the supervisor's work allows. The unit's text explains what stays open. */
function service(policies: readonly Policy[], places: UnitPaths): RenderedFile {
  const { program, version, configDirectory, logDirectory } = places;
  const teams = policies.map(({ team }) => socketName(team));
  const sockets = ["nixgate.socket", ...teams];
  const text = `[Unit]
Description=nixgate, the supervisor of Nix sessions
Requires=nixgate.socket
# No more than wanted: a team whose account is gone must not keep the others from their sessions. What is wanted here
# starts with this service, at the next boot too, also where it came later: nothing else is to be enabled. A socket cannot
# start while the service runs (systemd.socket(5)), so for a new team the service is restarted.
Wants=${[...teams, "nixgate-seal.timer"].join(" ")}
After=${sockets.join(" ")}
# Sessions wait for it: it is started again as often as it takes.
StartLimitIntervalSec=0

[Service]
Type=exec
ExecStart=${program} supervise${where(configDirectory)}
# by this nixgate apply sees whether the process that runs is the one that is asked for
Environment=${RENDERED}=@${RENDERED}@
ExecStopPost=-rm -f /run/nixgate/_ready
# Shims that stand still for an answer wait for the next supervisor, and not longer than those that come now.
ExecStopPost=-pkill -CONT -f '^/bin/sh [^ ]*/nixgate-shim '
Sockets=${sockets.join(" ")}
Restart=always
RestartSec=200ms
# Sessions are in scopes of their own and go on; what is here is the supervisor with its helpers. It ends them itself.
KillMode=mixed
OOMScoreAdjust=-900
# The copies of records are this unit's too: journald would drop them while one account makes the supervisor complain.
LogRateLimitIntervalSec=0
LimitNOFILE=65536
UMask=0027

# root: only root makes system scopes, and only root's records are out of the accounts' reach. It keeps of root's
# capabilities: to read the environment and the descriptors of shims (SYS_PTRACE, DAC_READ_SEARCH), to signal them
# (KILL), to end with an account's rights the records that are an account's, from before it was there, and to tell a client
# why its command is ended (SETUID, SETGID), to give the account's group its answers and to take its shims' pipes (CHOWN).
CapabilityBoundingSet=CAP_SYS_PTRACE CAP_DAC_READ_SEARCH CAP_KILL CAP_SETUID CAP_SETGID CAP_CHOWN
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=/run/nixgate ${logDirectory}
# no PrivateTmp: sshd names the file with the client's key in /tmp (ExposeAuthInfo of sshd_config(5))
ProtectHome=yes
PrivateDevices=yes
PrivateNetwork=yes
IPAddressDeny=any
RestrictAddressFamilies=AF_UNIX
RestrictNamespaces=yes
RestrictRealtime=yes
RestrictSUIDSGID=yes
LockPersonality=yes
ProtectClock=yes
ProtectHostname=yes
ProtectKernelLogs=yes
ProtectKernelModules=yes
ProtectKernelTunables=yes
# ProtectControlGroups stays off: it freezes and reads the scopes of sessions. ProtectProc and ProcSubset too: shims
# are other accounts' processes. MemoryDenyWriteExecute: V8 compiles.
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`;
  const rendered = `${version}-${digest(text, "hex").slice(0, 16)}`;
  return unit("nixgate.service", text.replace(`@${RENDERED}@`, rendered));
}
