import type { Arguments, Command, CommandResult } from "../cli/command.ts";
import { accountsOf } from "../policy/accounts.ts";
import { ConfigError } from "../policy/config-error.ts";
import type { ConfigFiles } from "../policy/config-files.ts";
import { loadAll } from "../policy/load-all.ts";
import type { Member, Policy } from "../policy/policy.ts";
import { formatProblem, isError } from "../policy/problem.ts";
import { fingerprint, readPublicKey } from "../policy/public-key.ts";
import { NixgateError } from "../units/error.ts";
import { ExitStatus } from "../units/exit-status.ts";

export interface AuthorizedKeysPorts {
  readonly files: ConfigFiles;
  /** The absolute paths of nixgate itself and of nixgate-front, as sshd is to start them. */
  readonly programPath: string;
  readonly frontPath: string;
}

const DEFAULT_DIRECTORY = "/etc/nixgate";
/** What stands for itself both in an authorized_keys option and in a shell's command line. */
const PLAIN_WORD = /^\/[A-Za-z0-9_./+-]*$/;

const HELP = `
Prints authorized_keys lines made from the policies' members, for sshd_config(5):

  Match User nix-*
    AuthorizedKeysCommand /usr/bin/nixgate authorized-keys --user %u --fingerprint %f
    AuthorizedKeysCommandUser nobody

The configuration must be readable for AuthorizedKeysCommandUser; it holds no secrets.
Each line is restricted (no terminal, no forwarding, no user rc), holds the member's \`from\`, and
forces \`nixgate session --team T --member M\`, or under manager = "system" \`nixgate-front T M\`: the key decides
who it is.

  --user U          only the team that this account serves: an account named \`nix-TEAM\` or \`TEAM\`
                    serves that team, every other account gets nothing
  --fingerprint F   only this key, as SHA256:…
  --config-dir DIR  the configuration folder, ${DEFAULT_DIRECTORY} by default; another one is passed on
                    to the session

A team whose policy has an error is left out, and the error is told on stderr: the other teams keep working.
An error in nixgate.toml itself does not matter here; the session will say so.
Exit status: 0 (also with no key to print), 64 wrong usage, 78 the policies cannot be read at all.
`;

export const authorizedKeys: Command<AuthorizedKeysPorts> = {
  name: "authorized-keys",
  summary: "print authorized_keys lines from the policies, for sshd's AuthorizedKeysCommand",
  usage: "[--user U] [--fingerprint F] [--config-dir DIR]",
  help: HELP,
  options: { user: { type: "string" }, fingerprint: { type: "string" }, "config-dir": { type: "string" } },
  run: printKeys,
};

async function printKeys({ options }: Arguments, ports: AuthorizedKeysPorts): Promise<CommandResult> {
  const directory = String(options["config-dir"] ?? DEFAULT_DIRECTORY);
  const { host, policies, problems } = await loadAll(ports.files, directory);
  const supervised = host.checked.ok && host.checked.value.scope.manager === "system";
  const program = supervised ? frontCommand(ports.frontPath) : sessionCommand(ports.programPath, directory);
  const folder = problems.find((problem) => problem.path === `${directory}/policies` && isError(problem));
  if (folder) throw new ConfigError("E_CONFIG_REFUSED", [folder]);

  const about = problems.filter((problem) => isError(problem) && !host.checked.problems.includes(problem));
  const broken = new Set(about.map(({ path }) => path));
  const sound = policies.flatMap(({ checked, file }) =>
    checked.ok && file && !broken.has(file.path) ? [checked.value] : [],
  );
  const served = sound.filter(
    (policy) => options["user"] === undefined || accountsOf(policy).includes(String(options["user"])),
  );
  const lines = served.flatMap((policy) =>
    policy.members.flatMap((member) => keyLines(policy, member, program, options["fingerprint"])),
  );
  return {
    status: ExitStatus.ok,
    stdout: lines.map((line) => `${line}\n`).join(""),
    stderr: about.map((problem) => `nixgate: ${formatProblem(problem)}\n`).join(""),
  };
}

function keyLines(
  policy: Policy,
  member: Member,
  program: (team: string, member: string) => string,
  only: unknown,
): string[] {
  const from = member.from.length === 0 ? "" : `from="${member.from.join(",")}",`;
  return member.keys.flatMap((line) => {
    const key = readPublicKey(line);
    if ("problem" in key || (only !== undefined && fingerprint(key) !== only)) return [];
    return [`restrict,${from}command="${program(policy.team, member.name)}" ${line.trim()}`];
  });
}

/** `exec`, so that no shell stays behind between sshd and nixgate (dash -c keeps a process of its own otherwise). */
function sessionCommand(programPath: string, directory: string): (team: string, member: string) => string {
  const where = directory === DEFAULT_DIRECTORY ? "" : ` --config-dir ${plain(directory)}`;
  return (team, member) => `exec ${plain(programPath)} session --team ${team} --member ${member}${where}`;
}

/** Under manager = "system"; the configuration is the supervisor's. */
const frontCommand = (frontPath: string) => (team: string, member: string) =>
  `exec ${plain(frontPath)} ${team} ${member}`;

function plain(word: string): string {
  if (PLAIN_WORD.test(word)) return word;
  throw new NixgateError("E_USAGE", ExitStatus.usage, `cannot be written into an authorized_keys line: ${word}`, {
    hint: "use an absolute path of letters, digits and . _ + -",
  });
}
