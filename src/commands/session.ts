import type { Command } from "../cli/command.ts";
import { UsageError } from "../cli/usage-error.ts";
import type { Arrival, Configuration } from "../session/arrival.ts";
import type { SessionPorts } from "../session/ports.ts";
import { runSession } from "../session/run-session.ts";
import { askedBy, connectionOf, type RawEnvironment } from "../session/ssh-environment.ts";
import { ExitStatus } from "../units/exit-status.ts";
import { memberName, teamName } from "../units/ids.ts";
import type { Milliseconds } from "../units/quantities.ts";

export interface SessionCommandPorts {
  readonly machine: Arrival["machine"];
  readonly process: Arrival["process"];
  readonly account: Arrival["account"];
  readonly holder: string;
  readonly environment: RawEnvironment;
  readonly terminal: boolean;
  readonly key: Arrival["connection"]["key"];
  configure(team: string, member: string | undefined, configDir: string | undefined): Promise<Configuration>;
  /** The session's ports, once it is known how long a lost client may stay unnoticed. */
  open(clientGoneGrace: Milliseconds): SessionPorts;
}

/** For sessions that end before a policy could say. */
const DEFAULT_GRACE = 2000 as Milliseconds;

export const session: Command<SessionCommandPorts> = {
  name: "session",
  summary: "serve one SSH session: the forced command",
  usage: "--team NAME [--member NAME] [--config-dir DIR]",
  help: `
sshd starts it instead of a shell, by ForceCommand in sshd_config(5) or by command= in authorized_keys:

  ForceCommand exec /usr/bin/nixgate session --team alpha
  restrict,command="exec /usr/bin/nixgate session --team alpha --member ci" ssh-ed25519 AAAA…

The request is SSH_ORIGINAL_COMMAND. Without one, or where it is \`bash\` or \`sh\`, requests are read as lines on stdin.
What is allowed runs with stdin, stdout and stderr as sshd made them; everything is put on record.

Exit status: the command's own, or 128 + the signal's number; 64 usage, 65 malformed request, 69 limits or systemd
unavailable, 70 a bug in nixgate, 73 and 74 records cannot be created or written, 75 busy, 77 denied, 78 configuration.`,
  options: { team: { type: "string" }, member: { type: "string" }, "config-dir": { type: "string" } },
  async run({ options, positionals }, ports) {
    if (positionals.length > 0 || typeof options["team"] !== "string") {
      throw new UsageError("--team NAME is all that a forced command needs", { hint: "see nixgate session --help" });
    }
    const startedAt = Date.now();
    const team = options["team"];
    const member = options["member"] as string | undefined;
    const configuration = await ports.configure(team, member, options["config-dir"] as string | undefined);
    const grace = configuration.ok ? configuration.policy.session.clientGoneGrace : DEFAULT_GRACE;
    const sessionPorts = ports.open(grace);
    const arrival: Arrival = {
      session: sessionPorts.newSessionId(),
      startedAt,
      team: teamName(team),
      member: member === undefined ? undefined : memberName(member),
      account: ports.account,
      connection: { ...connectionOf(ports.environment), ...(ports.key && { key: ports.key }) },
      request: askedBy(ports.environment),
      machine: ports.machine,
      process: ports.process,
      holder: ports.holder,
      configuration: onTerminal(ports) ? refuseTerminal(configuration) : configuration,
    };
    return { status: await runSession(arrival, sessionPorts) };
  },
};

function onTerminal({ terminal, environment }: SessionCommandPorts): boolean {
  return terminal || (environment.get("SSH_TTY")?.length ?? 0) > 0;
}

function refuseTerminal(configuration: Configuration): Configuration {
  if (!configuration.ok) return configuration;
  const message = "no terminal is given here: leave out ssh's -t";
  return { ...configuration, ok: false, refusal: { reason: "terminal", message, status: ExitStatus.denied } };
}
