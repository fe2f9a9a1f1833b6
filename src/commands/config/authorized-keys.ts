import type { Arguments, Command, CommandResult } from "../../cli/command.ts";
import { textOption } from "../../cli/options.ts";
import type { Member } from "../../policy/policy.ts";
import { fingerprintsOf } from "../../policy/rules/certificates.ts";
import { KEYS_ID } from "../../record/journal-entry.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { FINGERPRINT } from "../../units/ssh-key.ts";
import { CONFIG_DIRECTORY, CONFIG_OPTIONS } from "../shared/config-options.ts";
import { restrictions } from "./key-options.ts";
import { type AuthorizedKeysPorts, keyholders } from "./keyholders.ts";

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
  const { holders, program, stderr } = await keyholders(options, ports);
  const only = textOption(options, "fingerprint");
  const lines = holders.flatMap(({ team, members, ca, not }) => {
    const filter = { only, not };
    return members.flatMap((member) => [
      ...keyLines(member, (name, key) => program({ team, member: name, key }), filter),
      ...caLines(member, ca, (name) => program({ team, member: name, ...keyOf(only) })),
    ]);
  });
  return { status: ExitStatus.ok, stdout: lines.map((line) => `${line}\n`).join(""), stderr };
}

/** sshd asks for one key. A certificate is for that key, so the line is for it alone. */
const keyOf = (only: string | undefined) => (only !== undefined && FINGERPRINT.test(only) ? { key: only } : {});

/** Lines for certificates. sshd gives a CA's line only to a certificate with one of its principals. */
function caLines(member: Member, ca: readonly string[], command: (member: string) => string): string[] {
  if (member.principals.length === 0) return [];
  const names = member.principals.join(",");
  const options = `restrict,cert-authority,principals="${names}",${restrictions(member)}command="${command(member.name)}"`;
  return ca.map((key) => `${options} ${key.trim()}`);
}

interface KeyFilter {
  /** The one fingerprint that is printed; undefined where all are. */
  readonly only: string | undefined;
  /** Fingerprints that are not printed. */
  readonly not: ReadonlySet<string>;
}

/** @param command the forced command of a member's key */
function keyLines(
  member: Member,
  command: (member: string, key: string) => string,
  { only, not }: KeyFilter,
): string[] {
  return member.keys.flatMap((line) => {
    const [print] = fingerprintsOf([line]);
    if (print === undefined || (only !== undefined && print !== only) || not.has(print)) return [];
    return [`restrict,${restrictions(member)}command="${command(member.name, print)}" ${line.trim()}`];
  });
}
