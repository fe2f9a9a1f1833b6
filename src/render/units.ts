import type { Policy } from "../policy/policy.ts";
import { sliceName } from "../scope/names.ts";
import { limitProperties } from "../scope/properties.ts";
import { digest } from "../units/digest.ts";
import { busPolicy } from "./bus-policy.ts";
import { NO_TRACING, noManager } from "./confine-account.ts";
import { SEAL_TIMER, sealService, type UnitPaths, where } from "./seal-units.ts";
import { type Rendered, type RenderedFile, type UidOf, withoutAccount } from "./slices.ts";
import { CLOSES_SOCKETS, socketAcl } from "./socket-acl.ts";
import { unit } from "./unit-file.ts";

/** The environment variable that tells which text of nixgate.service started the running supervisor. */
export const RENDERED = "NIXGATE_RENDERED";

/**
 * The units of manager = "system": the service, a socket unit with the FIFO of each team, and the slices. One socket
 * unit cannot give each of its FIFOs a group of its own (SocketGroup= of systemd.socket(5)), so each team has one.
 */
export function renderUnits(
  policies: readonly Policy[],
  accountsOf: (policy: Policy) => readonly string[],
  uidOf: UidOf,
  paths: UnitPaths,
): Rendered {
  const served = policies.flatMap((policy) => {
    const account = accountsOf(policy).find((name) => uidOf(name) !== undefined);
    const uid = account === undefined ? undefined : uidOf(account);
    const gid = account === undefined ? undefined : paths.gidOf(account);
    return account === undefined || uid === undefined || gid === undefined ? [] : [{ policy, account, uid, gid }];
  });
  const sockets = socketAcl(
    served.map(({ uid }) => uid),
    served.some(({ policy }) => policy.builds.boundedBy !== "host"),
  );
  const files = [
    service(
      served.map(({ policy }) => policy),
      paths,
      sockets.text,
    ),
    CONTROL,
    NO_TRACING,
    busPolicy(served.map(({ account }) => account)),
    sockets,
    sealService(paths),
    SEAL_TIMER,
    ...served.flatMap(({ policy, account, uid, gid }) => [
      socket(policy, account, gid),
      slice(policy),
      noManager(account, uid),
    ]),
  ];
  const omitted = policies
    .filter((policy) => !served.some((one) => one.policy === policy))
    .map((policy) => withoutAccount(policy.team, accountsOf(policy)));
  return { files, omitted };
}

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

function socket({ team }: Policy, account: string, gid: number): RenderedFile {
  return unit(
    socketName(team),
    `# Only the primary group of ${account} may write to this FIFO. It belongs to root, so that ${account} can neither change its mode
# nor read lines of other sessions. systemd holds it open, so that lines are kept while the service restarts.
[Unit]
Description=Requests of team ${team} for nixgate

[Socket]
ListenFIFO=/run/nixgate/${team}/requests
SocketUser=root
SocketGroup=${gid}
SocketMode=0620
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
    `# [team_limits] of the policy, for all sessions of the team together. The supervisor changes them when the policy changes.
[Unit]
Description=Nix sessions of team ${policy.team}

[Slice]
${limits.join("")}`,
  );
}

/** The sandbox of systemd.exec(5), as far as the supervisor's work allows. The unit's text explains what stays open. */
function service(policies: readonly Policy[], paths: UnitPaths, acl: string): RenderedFile {
  const { program, version, configDirectory, logDirectory } = paths;
  const teams = policies.map(({ team }) => socketName(team));
  const sockets = ["nixgate.socket", ...teams];
  const text = `[Unit]
Description=nixgate, the supervisor of Nix sessions
Requires=nixgate.socket
# Wants= and not Requires=: a team without an account must not stop the sessions of other teams. These units start with this
# service, also at the next boot, so only this service has to be enabled. A socket cannot start while its service runs
# (systemd.socket(5)), so a new team needs a restart of this service.
Wants=${[...teams, "nixgate-seal.timer"].join(" ")}
# The service looks up the teams' accounts once, at its start.
After=${sockets.join(" ")} nss-user-lookup.target
# Sessions wait for this service, so the number of its starts has no limit.
StartLimitIntervalSec=0

[Service]
Type=exec
# closes the sockets of PID 1 to the accounts, also sockets made after the boot; nixgate-seal.service repeats it
${CLOSES_SOCKETS}
ExecStart=${program} supervise${where(configDirectory)}
# nixgate apply reads this variable to see whether the running process was started from this text
Environment=${RENDERED}=@${RENDERED}@
ExecStopPost=-rm -f /run/nixgate/_ready
# Stopped shims that wait for an answer continue, so that their timeout for the next supervisor begins now.
ExecStopPost=-pkill -CONT -f '^/bin/sh [^ ]*/nixgate-shim '
Sockets=${sockets.join(" ")}
Restart=always
RestartSec=200ms
# Sessions run in scopes of their own and continue. This cgroup has the supervisor and its helpers, which it ends itself.
KillMode=mixed
OOMScoreAdjust=-900
# Copies of records are messages of this unit. With a limit, journald would drop them while an account causes many warnings.
LogRateLimitIntervalSec=0
LimitNOFILE=65536
UMask=0027

# The service runs as root, because only root can make system scopes, and the accounts cannot change root's records. It keeps
# these capabilities:
# - SYS_PTRACE and DAC_READ_SEARCH, to read the environment and the descriptors of shims
# - KILL, to signal them
# - SETUID and SETGID, to end old records of an account with its rights, and to tell a client why its command is ended
# - CHOWN, to give answers to the account's group, and to take over the pipes of its shims
CapabilityBoundingSet=CAP_SYS_PTRACE CAP_DAC_READ_SEARCH CAP_KILL CAP_SETUID CAP_SETGID CAP_CHOWN
NoNewPrivileges=yes
ProtectSystem=strict
ReadWritePaths=/run/nixgate ${logDirectory}
# no PrivateTmp: sshd writes the client's key into a file in /tmp (ExposeAuthInfo of sshd_config(5))
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
# Three settings stay off. ProtectControlGroups: the service freezes and reads the scopes of sessions. ProtectProc and ProcSubset:
# shims are processes of other accounts. MemoryDenyWriteExecute: V8 compiles code at run time.
SystemCallArchitectures=native
SystemCallFilter=@system-service
SystemCallErrorNumber=EPERM

[Install]
WantedBy=multi-user.target
`;
  const rendered = `${version}-${digest(text + acl, "hex").slice(0, 16)}`;
  return unit("nixgate.service", text.replace(`@${RENDERED}@`, rendered));
}
