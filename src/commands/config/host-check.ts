import { basename } from "node:path";
import { accountsOf } from "../../policy/accounts.ts";
import type { LoadedPolicy, WholeConfig } from "../../policy/load-all.ts";
import type { HostConfig, Manager, Policy, Problem } from "../../policy/policy.ts";
import { type KeyPath, type PolicyFinding, warningAt } from "../../policy/problem.ts";
import { CHANGE_ACCOUNT } from "../../policy/rules/advice.ts";
import { placeFindings, type Source } from "../../policy/source/source.ts";
import { bytesInWords as readable } from "../../record/wording.ts";
import { mayTrace } from "../../session/command/standing.ts";
import type { ProgramProblem } from "../../session/ports.ts";
import { formatBytes } from "../../units/bytes.ts";
import { accountWarnings } from "./account-warnings.ts";
import { admissionWarnings } from "./admission-warnings.ts";
import { buildWarnings } from "./build-warnings.ts";
import type { HostLook } from "./host-look.ts";

/** A program of util-linux or systemd that starts a command (src/scope/command-line.ts). */
const STARTERS: Readonly<Record<Manager, string>> = { user: "systemd-run", system: "setpriv", none: "prlimit" };

interface Team {
  readonly policy: Policy;
  readonly file: Source;
  /** The account that serves the team, where it exists. */
  readonly account: { readonly name: string; readonly uid: number } | undefined;
}

/**
 * The conditions on this host that keep sessions out or commands from starting. They are warnings, because no file is
 * wrong. Only readable facts are checked.
 */
export async function hostWarnings(config: WholeConfig, look: HostLook): Promise<readonly Problem[]> {
  const { checked, file } = config.host;
  if (!checked.ok || !file) return [];
  const host = checked.value;
  const teams = config.policies.flatMap((policy) => teamOf(policy, look));
  const logDirectory = logWarning(host, teams, look);
  const own = await placeFindings(file, [
    ...hostProgramWarnings(host, teams, look),
    ...starterWarning(host, look),
    ...cgroupWarnings(host, look),
    ...traceWarning(host, look),
    ...kernelWarning(host, look),
    ...pamWarning(host, look),
    ...admissionWarnings(host, look),
    ...(logDirectory ? [logDirectory] : []),
  ]);
  const each = await Promise.all(
    teams.map((team) => placeFindings(team.file, teamWarnings(team, host, look, logDirectory === undefined))),
  );
  return [...own, ...each.flat()];
}

function teamOf({ checked, file }: LoadedPolicy, look: HostLook): readonly Team[] {
  if (!checked.ok || !file) return [];
  const found = accountsOf(checked.value).flatMap((name) => {
    const uid = look.uidOf(name);
    return uid === undefined ? [] : [{ name, uid }];
  });
  return [{ policy: checked.value, file, account: found[0] }];
}

const viewerOf = ({ account }: Team, { scope }: HostConfig) =>
  account && { uid: account.uid, confined: scope.confine && scope.manager === "system" };

function hostProgramWarnings(host: HostConfig, teams: readonly Team[], look: HostLook): readonly PolicyFinding[] {
  return Object.entries(host.programs).flatMap(([name, path]) => {
    const viewers = teams.flatMap((team) => viewerOf(team, host) ?? []);
    const at = ["programs", name];
    const problem = [undefined, ...viewers]
      .map((viewer) => look.problemWithProgram(path, viewer))
      .find((found) => found !== undefined);
    return problem ? [programWarning(at, path, problem)] : [];
  });
}

const programWarning = (at: KeyPath, path: string, { message, fix }: ProgramProblem): PolicyFinding =>
  warningAt(at, `${path} ${message}, so requests that need it are refused with 78`, fix);

function starterWarning({ scope }: HostConfig, look: HostLook): readonly PolicyFinding[] {
  const program = STARTERS[scope.manager];
  if (look.isInstalled(program)) return [];
  const message = `commands are started by ${program}, which this host does not have`;
  const fix = program === "systemd-run" ? 'install systemd, or write manager = "none"' : "install util-linux";
  return [warningAt(["scope", "manager"], message, fix)];
}

/** The cgroup controllers that every command's default limits need. */
const CONTROLLERS = ["memory", "pids"];

function cgroupWarnings({ scope }: HostConfig, { controllers }: HostLook): readonly PolicyFinding[] {
  if (scope.manager === "none") return [];
  const at = ["scope", "manager"];
  if (controllers === undefined) {
    const message = "this host has no cgroup v2, which limits need, so every command is refused with 69";
    return [warningAt(at, message, "boot it with systemd.unified_cgroup_hierarchy=1, or without that option")];
  }
  return CONTROLLERS.filter((name) => !controllers.includes(name)).map((name) =>
    warningAt(at, `the kernel has no ${name} controller, which limits need`, `boot it with cgroup_enable=${name}`),
  );
}

/** The supervisor refuses sessions in the three cases that this warns of. */
function traceWarning({ scope }: HostConfig, look: HostLook): readonly PolicyFinding[] {
  if (scope.manager !== "system" || !(scope.require || scope.confine) || !mayTrace(look.ptraceScope())) return [];
  const message = "kernel.yama.ptrace_scope of this host is not 1 or more, so all sessions are refused with 69";
  const fix = "nixgate render units --output /, then systemctl restart systemd-sysctl; the kernel needs Yama";
  return [warningAt(["scope", "manager"], message, fix)];
}

function kernelWarning({ scope }: HostConfig, look: HostLook): readonly PolicyFinding[] {
  if (scope.manager !== "system" || look.showsInodes()) return [];
  const outcome = scope.confine
    ? "all sessions are refused with 69"
    : "a client whose command runs is not told why its session ends";
  const message = `this kernel does not tell the inodes of a shim's streams, so ${outcome}`;
  return [warningAt(["scope", "manager"], message, "boot Linux 5.14 or newer")];
}

function pamWarning({ scope }: HostConfig, look: HostLook): readonly PolicyFinding[] {
  if (scope.manager !== "system" || !look.pamReadsHome()) return [];
  const message = "sshd's PAM reads ~/.pam_environment, so all sessions are refused with 78";
  return [warningAt(["scope", "manager"], message, "sed -i 's/ user_readenv=1//' /etc/pam.d/sshd")];
}

function logWarning({ log, scope }: HostConfig, teams: readonly Team[], look: HostLook): PolicyFinding | undefined {
  const accounts = scope.manager === "system" ? [] : teams.flatMap(({ account }) => account?.uid ?? []);
  const problem = look.problemWithFolder(log.directory, [0, ...accounts]);
  if (!problem) return undefined;
  const message = `${log.directory} ${problem.message}, so no session can be recorded`;
  return warningAt(["log", "directory"], message, `install -d -m 755 -o root -g root ${log.directory}`);
}

function teamWarnings(team: Team, host: HostConfig, look: HostLook, hasLog: boolean): readonly PolicyFinding[] {
  const { policy, account } = team;
  const [first, second] = accountsOf(policy);
  if (account === undefined) {
    const message = `there is no account ${second} or ${first} on this host, so no client can log in`;
    return [
      ...limitWarnings(policy, look),
      warningAt(["team"], message, `useradd --system --create-home --shell /bin/sh ${second}`),
    ];
  }
  return [
    ...keyWarnings(policy, account.name, look),
    ...caWarnings(account.name, look),
    ...accountWarnings(account, host, look),
    ...buildWarnings(policy, account, host, look),
    ...ruleWarnings(team, host, look),
    ...limitWarnings(policy, look),
    ...(hasLog ? folderWarnings(policy, account, host, look) : []),
  ];
}

/** OpenSSH 8.7 to 9.3 drops an AuthorizedPrincipalsCommand behind an AuthorizedKeysCommand (OpenSSH bug 3574). */
function caWarnings(account: string, look: HostLook): readonly PolicyFinding[] {
  if (look.trustsCaAlone(account) !== true) return [];
  const message = `sshd gives ${account} a shell for a certificate with that name: TrustedUserCAKeys is set and no AuthorizedPrincipalsCommand is in force`;
  const fix = "write AuthorizedPrincipalsCommand before AuthorizedKeysCommand, or TrustedUserCAKeys none";
  return [warningAt(["team"], message, fix)];
}

function keyWarnings(policy: Policy, account: string, look: HostLook): readonly PolicyFinding[] {
  const hasKeys = policy.members.some(({ keys, principals }) => keys.length + principals.length > 0);
  if (hasKeys || look.keysAreFromPolicies(account) !== true) return [];
  const message = `sshd takes the keys of ${account} from this policy, which has none, so no client can log in`;
  return [warningAt(["member"], message, "add [[member]] with a name and keys")];
}

function ruleWarnings(team: Team, host: HostConfig, look: HostLook): readonly PolicyFinding[] {
  return team.policy.allow.flatMap((rule, index) => {
    if (rule.kind !== "custom") return [];
    const [program] = rule.run;
    const problem = look.problemWithProgram(program, viewerOf(team, host));
    if (problem) return [programWarning(["allow", index, "run"], program, problem)];
    return privilegeWarning(["allow", index, "run"], program, look);
  });
}

/** sudo and similar programs have a warning by name, in src/policy/rules/advice.ts. */
function privilegeWarning(at: KeyPath, program: string, look: HostLook): readonly PolicyFinding[] {
  const privileged = CHANGE_ACCOUNT.has(basename(program)) ? undefined : look.privilegesOf?.(program);
  if (privileged === undefined) return [];
  const message = `${program} is ${privileged}, and commands get no new privileges`;
  return [warningAt(at, message, "let a service of that account do the work, and run a client of that service")];
}

function limitWarnings({ limits, teamLimits }: Policy, { memory }: HostLook): readonly PolicyFinding[] {
  const tables = [
    ["limits", limits.MemoryMax],
    ["team_limits", teamLimits.MemoryMax],
  ] as const;
  return tables.flatMap(([table, most]) => {
    if (typeof most !== "number" || most <= memory) return [];
    const message = `${formatBytes(most)} is above this host's memory of ${readable(memory)}, so it has no effect`;
    return [warningAt([table, "MemoryMax"], message, `write less than ${readable(memory)} under [${table}]`)];
  });
}

/** With `system`, root owns the records; otherwise the account itself writes them. */
function folderWarnings(
  { team }: Policy,
  { name, uid }: { readonly name: string; readonly uid: number },
  { log, scope }: HostConfig,
  look: HostLook,
): readonly PolicyFinding[] {
  const folder = `${log.directory}/${team}`;
  const isRoots = scope.manager === "system";
  const problem = look.problemWithFolder(folder, [isRoots ? 0 : uid]);
  if (!problem || (isRoots && problem.missing)) return []; // the supervisor makes it as root
  const fix = isRoots ? `chown -R root: ${folder}` : `install -d -m 750 -o ${name} -g ${name} ${folder}`;
  return [warningAt(["team"], `${folder} ${problem.message}, so the team's sessions cannot be recorded`, fix)];
}
