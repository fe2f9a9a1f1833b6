import type { Arguments, Command } from "../../cli/command.ts";
import { textOption } from "../../cli/options.ts";
import { UsageError } from "../../cli/usage-error.ts";
import type { Configuration } from "../../session/configuration.ts";
import { certificateNumber, type ForcedCommand } from "../../session/forced-command.ts";
import type { IncomingSession } from "../../session/incoming-session.ts";
import { type OpenPorts, serveSession } from "../../session/serve-session.ts";
import { FINGERPRINT } from "../../units/ssh-key.ts";
import { escapeText } from "../../units/text.ts";
import { CONFIG_OPTIONS } from "../shared/config-options.ts";

export interface SessionCommandPorts {
  /** All that is known of who came, but for the words of the forced command. */
  readonly incoming: Omit<IncomingSession, "forced">;
  readonly openPorts: OpenPorts;
  configure(forced: ForcedCommand, configDir: string | undefined): Promise<Configuration>;
  /** Becomes bin/nixgate-shim, where the resident supervisor serves this host's sessions. */
  becomeShim(forced: ForcedCommand): never;
}

export const session: Command<SessionCommandPorts> = {
  name: "session",
  summary: "serve one SSH session: the forced command",
  usage: "--team NAME [--member NAME] [--key F] [--certificate F:SERIAL] [--config-dir DIR]",
  help: `
sshd starts it instead of a shell, by ForceCommand in sshd_config(5) or by command= in authorized_keys:

  ForceCommand exec /usr/local/bin/nixgate session --team alpha
  restrict,command="exec /usr/local/bin/nixgate session --team alpha --member ci" ssh-ed25519 AAAA…

The request is SSH_ORIGINAL_COMMAND. Without one, or if it is \`bash\` or \`sh\`, requests are lines on stdin.
--key is the fingerprint of the key that the forced command is for (SHA256:…). --certificate is the fingerprint of the CA's key
and the serial of the certificate. nixgate authorized-keys and authorized-principals write both, for the record and for
nixgate lock.
An allowed command runs with stdin, stdout and stderr as sshd made them. Every request is on record.

Exit status: the command's own, or 128 + the signal's number; 64 usage, 65 malformed request, 69 limits or systemd
unavailable, 70 a bug in nixgate, 73 and 74 records cannot be created or written, 75 busy, 77 denied, 78 configuration.`,
  options: {
    team: { type: "string" },
    member: { type: "string" },
    key: { type: "string" },
    certificate: { type: "string" },
    ...CONFIG_OPTIONS,
  },
  async run({ options, positionals }, { incoming, openPorts, configure, becomeShim }) {
    if (positionals.length > 0 || typeof options["team"] !== "string") {
      throw new UsageError("a forced command needs only --team NAME", {
        hint: "see nixgate session --help, or nixgate sessions for the records",
      });
    }
    const forced = forcedCommand(options["team"], options);
    const configuration = await configure(forced, options["config-dir"] as string | undefined);
    if (configuration.host?.scope.manager === "system") becomeShim(forced);
    return { status: await serveSession({ ...incoming, forced }, configuration, openPorts) };
  },
};

function forcedCommand(team: string, options: Arguments["options"]): ForcedCommand {
  const key = textOption(options, "key");
  const number = textOption(options, "certificate");
  const certificate = number === undefined ? undefined : certificateNumber(number);
  if (key !== undefined && !FINGERPRINT.test(key)) throw new UsageError(`--key ${escapeText(key)}: no fingerprint`);
  if (number !== undefined && !certificate)
    throw new UsageError(`--certificate ${escapeText(number)}: not a CA's fingerprint and a serial`);
  return {
    ...{ team, member: textOption(options, "member") },
    ...(key !== undefined && { key }),
    ...(certificate && { certificate }),
  };
}
