import { basename } from "node:path";
import type { Arguments, Command, CommandResult } from "../../cli/command.ts";
import { accountsOf } from "../../policy/accounts.ts";
import { ConfigError } from "../../policy/config-error.ts";
import type { ConfigFiles } from "../../policy/config-files.ts";
import { type LoadedPolicy, loadAll, sources } from "../../policy/load-all.ts";
import type { Member, Problem } from "../../policy/policy.ts";
import { formatProblem, isError } from "../../policy/problem.ts";
import { readableMembers } from "../../policy/readable-members.ts";
import { betweenPolicies } from "../../policy/rules/cross-check.ts";
import { fingerprint, readPublicKey } from "../../policy/schema/public-key.ts";
import { KEYS_ID } from "../../record/journal-entry.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { type TeamName, teamName } from "../../units/ids.ts";
import { CONFIG_DIRECTORY, CONFIG_OPTIONS } from "../shared/config-options.ts";
import { expiry, programFor } from "./key-options.ts";

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

const HELP = `
Prints authorized_keys lines made from the policies' members, for sshd_config(5):

  Match User nix-*
    AuthorizedKeysCommand /usr/local/bin/nixgate authorized-keys --user %u --fingerprint %f
    AuthorizedKeysCommandUser nobody
    AuthorizedKeysFile none
    AuthenticationMethods publickey
    TrustedUserCAKeys none

docs/getting-started.md has the other lines of the block. Each of them closes another way to log in.

AuthorizedKeysCommandUser must be able to read the configuration, which holds no secrets.
Each line is restricted (no terminal, no forwarding, no user rc), holds the member's \`from\` and \`until\`
(expiry-time), and forces \`nixgate session --team T --member M --key F\`, or under manager = "system"
\`nixgate-shim T M,F\`. The key decides the team and the member. F is the key's fingerprint, for the record and for
\`nixgate lock key\`.

  --user U          only the team that this account serves: an account named \`nix-TEAM\` or \`TEAM\`
                    serves that team; for any other account no key is printed
  --fingerprint F   only this key, as SHA256:…
  --config-dir DIR  the configuration folder, ${CONFIG_DIRECTORY} by default; another one becomes an option of
                    the session

If a policy has an error, the keys of each [[member]] without an error are still printed. The session then ends with
status 78 and an id. No key is printed from a file that is not TOML or cannot be read, or for a second team with the same
key or account. Other teams are not affected. Each error of the team goes to stderr. sshd discards stderr, so it also goes
to the journal (or to syslog) at error level: journalctl MESSAGE_ID=${KEYS_ID}
An error in nixgate.toml itself has no effect here; the session reports it.
Exit status: 0 (also with no key to print), 64 wrong usage, 75 the host cannot read the policies at the moment, 78 they
cannot be read at all.
`;

export const authorizedKeys: Command<AuthorizedKeysPorts> = {
  name: "authorized-keys",
  summary: "print authorized_keys lines from the policies, for sshd",
  usage: "[--user U] [--fingerprint F] [--config-dir DIR]",
  help: HELP,
  options: { user: { type: "string" }, fingerprint: { type: "string" }, ...CONFIG_OPTIONS },
  run: printKeys,
};

async function printKeys({ options }: Arguments, ports: AuthorizedKeysPorts): Promise<CommandResult> {
  const directory = String(options["config-dir"] ?? CONFIG_DIRECTORY);
  const { host, policies, problems } = await loadAll(ports.files, directory);
  const supervised = host.checked.ok && host.checked.value.scope.manager === "system";
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
  const shared = new Set((await betweenPolicies(sources(policies))).filter(isError).map(({ path }) => path));
  const teams = await Promise.all(asked.map((policy) => membersOf(policy, shared)));
  const taken = fingerprintsOf(policies.flatMap(({ checked }) => (checked.ok ? checked.value.members : [])));
  const lines = teams.flatMap((holders) => {
    if (holders === undefined) return [];
    const { team, members, isSound } = holders;
    const filter = { only: options["fingerprint"], not: isSound ? new Set<string>() : taken };
    return members.flatMap((member) => keyLines(member, (name, key) => program({ team, member: name, key }), filter));
  });
  const logged = about.flatMap((problem) => {
    const policy = asked.find(({ name }) => basename(problem.path).replace(/\.(?:toml|json)$/, "") === name);
    return policy ? [{ team: policy.name, text: oneLine(problem) }] : [];
  });
  if (logged.length > 0) await ports.tellLog(logged.slice(0, MOST_LOGGED));
  return {
    status: ExitStatus.ok,
    stdout: lines.map((line) => `${line}\n`).join(""),
    stderr: about.map((problem) => `nixgate: ${formatProblem(problem)}\n`).join(""),
  };
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
): Promise<Keyholders | undefined> {
  const team = teamName(name);
  if (!file || team === undefined || shared.has(file.path)) return undefined;
  if (checked.ok) return { team, members: checked.value.members, isSound: true };
  return { team, members: await readableMembers(file, team), isSound: false };
}

interface Keyholders {
  readonly team: TeamName;
  readonly members: readonly Member[];
  readonly isSound: boolean;
}

const fingerprintsOf = (members: readonly Member[]): ReadonlySet<string> =>
  new Set(
    members.flatMap(({ keys }) =>
      keys.flatMap((line) => {
        const key = readPublicKey(line);
        return "problem" in key ? [] : [fingerprint(key)];
      }),
    ),
  );

interface KeyFilter {
  /** The one fingerprint that is printed; undefined where all are. */
  readonly only: unknown;
  /** Fingerprints that are not printed. */
  readonly not: ReadonlySet<string>;
}

/** @param command the forced command of a member's key */
function keyLines(
  member: Member,
  command: (member: string, key: string) => string,
  { only, not }: KeyFilter,
): string[] {
  const from = member.from.length === 0 ? "" : `from="${member.from.join(",")}",`;
  return member.keys.flatMap((line) => {
    const key = readPublicKey(line);
    if ("problem" in key || (only !== undefined && fingerprint(key) !== only)) return [];
    if (not.has(fingerprint(key))) return [];
    const forced = command(member.name, fingerprint(key));
    return [`restrict,${expiry(member)}${from}command="${forced}" ${line.trim()}`];
  });
}
