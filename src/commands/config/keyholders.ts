import { basename } from "node:path";
import type { Arguments } from "../../cli/command.ts";
import { accountsOf } from "../../policy/accounts.ts";
import { ConfigError } from "../../policy/config-error.ts";
import type { ConfigFiles } from "../../policy/config-files.ts";
import { type LoadedPolicy, loadAll, sources } from "../../policy/load-all.ts";
import type { Member, Problem } from "../../policy/policy.ts";
import { formatProblem, isError } from "../../policy/problem.ts";
import { readableCa, readableMembers } from "../../policy/readable-members.ts";
import { betweenTeams } from "../../policy/rules/between-teams.ts";
import { fingerprintsOf } from "../../policy/rules/certificates.ts";
import { type TeamName, teamName } from "../../units/ids.ts";
import { CONFIG_DIRECTORY } from "../shared/config-options.ts";
import { type Program, programFor } from "./key-options.ts";

export interface AuthorizedKeysPorts {
  readonly files: ConfigFiles;
  /** The absolute paths of nixgate and of nixgate-shim, as sshd should start them. */
  readonly programPath: string;
  readonly shimPath: string;
  /** Writes to the host's log at error level, because sshd forwards nothing else. Bounded in time; never throws. */
  tellLog(problems: readonly LoggedProblem[]): Promise<void>;
}

export interface LoggedProblem {
  readonly team: string;
  /** The problem in one line, with path and remedy. */
  readonly text: string;
}

/** The number of problems that one call logs. A client that is not authenticated can make sshd call often. */
const MOST_LOGGED = 5;

/** The members of a team for which sshd is told something. */
export interface Keyholders {
  readonly team: TeamName;
  readonly members: readonly Member[];
  /** The keys of the CAs that sign for them: the host's and the team's. */
  readonly ca: readonly string[];
  /** Fingerprints that are not printed: a policy with an error must not take the keys of another one. */
  readonly not: ReadonlySet<string>;
}

/** What sshd is told about, the forced command, and the errors of the asked teams for stderr. */
export interface KeyholdersFound {
  readonly holders: readonly Keyholders[];
  readonly program: Program;
  readonly stderr: string;
}

/**
 * Reads all policies for a command of sshd's, and tells the host's log what is wrong with those that were asked for.
 * @throws ConfigError where the policies cannot be read at all
 */
export async function keyholders(options: Arguments["options"], ports: AuthorizedKeysPorts): Promise<KeyholdersFound> {
  const directory = String(options["config-dir"] ?? CONFIG_DIRECTORY);
  const { host, policies, problems } = await loadAll(ports.files, directory);
  const supervised = host.checked.ok && host.checked.value.scope.manager === "system";
  const hostCa = host.checked.ok ? host.checked.value.ca : [];
  const program = programFor(supervised, directory, ports);
  const about = problems.filter((problem) => isError(problem) && !host.checked.problems.includes(problem));
  const folder = ports.files.list(`${directory}/policies`);
  if (folder.kind !== "found") {
    await ports.tellLog([{ team: String(options["user"] ?? "every team"), text: oneLine(folder.problem) }]);
    throw new ConfigError("E_CONFIG_REFUSED", [folder.problem]);
  }

  const asked = policies.filter(
    ({ name }) =>
      options["user"] === undefined || accountsOf({ team: name as TeamName }).includes(String(options["user"])),
  );
  const sourced = sources(policies);
  const conflicts = betweenTeams(sourced);
  const shared = new Set(
    sourced.filter((_, index) => conflicts[index]?.some(isError)).map(({ source }) => source.path),
  );
  const read = await Promise.all(asked.map((policy) => membersOf(policy, shared)));
  const sound = policies.flatMap(({ checked }) => (checked.ok ? checked.value.members : []));
  const taken = new Set(sound.flatMap(({ keys }) => fingerprintsOf(keys)));
  const holders = read.flatMap((one): Keyholders[] => {
    if (one === undefined) return [];
    const { team, members, ca, isSound } = one;
    return [{ team, members, ca: [...hostCa, ...ca], not: isSound ? new Set<string>() : taken }];
  });
  const logged = about.flatMap((problem) => {
    const policy = asked.find(({ name }) => basename(problem.path).replace(/\.(?:toml|json)$/, "") === name);
    return policy ? [{ team: policy.name, text: oneLine(problem) }] : [];
  });
  if (logged.length > 0) await ports.tellLog(logged.slice(0, MOST_LOGGED));
  return { holders, program, stderr: about.map((problem) => `nixgate: ${formatProblem(problem)}\n`).join("") };
}

interface ReadMembers {
  readonly team: TeamName;
  readonly members: readonly Member[];
  readonly ca: readonly string[];
  readonly isSound: boolean;
}

/** Formats a problem as one line. */
const oneLine = (problem: Problem): string => formatProblem(problem).replace(/\n +/, "; ");

/**
 * The members whose keys are printed. All keys of a policy are printed where the session will obey the policy or refuse
 * by itself. Of a policy with errors, only the keys of the readable members are printed.
 * @param shared the files of teams with a key or an account that another team has already
 */
async function membersOf(
  { name, checked, file }: LoadedPolicy,
  shared: ReadonlySet<string>,
): Promise<ReadMembers | undefined> {
  const team = teamName(name);
  if (!file || team === undefined || shared.has(file.path)) return undefined;
  if (checked.ok) return { team, members: checked.value.members, ca: checked.value.ca, isSound: true };
  return { team, members: await readableMembers(file, team), ca: await readableCa(file), isSound: false };
}
