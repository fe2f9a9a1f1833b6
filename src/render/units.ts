import type { Policy } from "../policy/policy.ts";
import { sliceName } from "../scope/names.ts";
import { limitProperties } from "../scope/properties.ts";
import { digest } from "../units/digest.ts";
import { busPolicy } from "./bus-policy.ts";
import { NO_TRACING, noManager } from "./confine-account.ts";
import { SEAL_TIMER, sealing, where } from "./seal-units.ts";
import type { Rendered, RenderedFile, UidOf } from "./slices.ts";
import { CLOSES_SOCKETS, socketAcl } from "./socket-acl.ts";
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
  /** The primary group of an account. */
  readonly gidOf: (account: string) => number | undefined;
}

/**
 * The units of manager = "system": the service, a socket unit with the FIFO of each team, and the slices. One socket
 * unit cannot give each of its FIFOs a group of its own (SocketGroup= of systemd.socket(5)), so each team has one.
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
    const gid = account === undefined ? undefined : places.gidOf(account);
    return account === undefined || uid === undefined || gid === undefined ? [] : [{ policy, account, uid, gid }];
  });
  const sockets = socketAcl(served.map(({ uid }) => uid));
  const files = [
    service(
      served.map(({ policy }) => policy),
      places,
      sockets.text,
    ),
    CONTROL,
    NO_TRACING,
    busPolicy(served.map(({ account }) => account)),
    sockets,
    sealing(places),
    SEAL_TIMER,
    ...served.flatMap(({ policy, account, uid, gid }) => [
      socket(policy, account, gid),
      slice(policy),
      noManager(account, uid),
    ]),
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
    `# Only the primary group of ${account} may write into it. It is root's, so that ${account} cannot keep its own team out by
# its mode, or read lines of others; systemd holds it open, so that nobody waits in vain while the service restarts.
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
    `# [team_limits] of the policy, around all sessions of the team. The supervisor changes them when the policy changes.
[Unit]
Description=Nix sessions of team ${policy.team}

[Slice]
${limits.join("")}`,
  );
}

/** The sandbox of systemd.exec(5), as far as the supervisor's work allows. The unit's text explains what stays open. */
function service(policies: readonly Policy[], places: UnitPaths, acl: string): RenderedFile {
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
# It asks once at its start which account serves which team.
After=${sockets.join(" ")} nss-user-lookup.target
# Sessions wait for it: it is started again as often as it takes.
StartLimitIntervalSec=0

[Service]
Type=exec
# the sockets of PID 1, closed to the accounts also where they came after the boot; nixgate-seal.service does it again
${CLOSES_SOCKETS}
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
  const rendered = `${version}-${digest(text + acl, "hex").slice(0, 16)}`;
  return unit("nixgate.service", text.replace(`@${RENDERED}@`, rendered));
}
