import type { Command } from "../../cli/command.ts";
import { optionsOnly, textOption } from "../../cli/options.ts";
import { UsageError } from "../../cli/usage-error.ts";
import { closedPath, closedWords, TEXT_MAX } from "../../policy/closed.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { escapeText, hasControlCharacter } from "../../units/text.ts";
import { CONFIG_HELP, CONFIG_OPTIONS } from "../shared/config-options.ts";
import { type ClosingPorts, closedTeam } from "./closing-ports.ts";

export const close: Command<ClosingPorts> = {
  name: "close",
  summary: "turn new sessions away for a while; running ones go on",
  usage: "--message TEXT [--team T] [--config-dir DIR]",
  help: `From now on new sessions end with status 75 and TEXT, before anything is read from them: a Nix client takes its next
builder. Running sessions go on to their end. It holds over a reboot, until \`nixgate open\`. To be run by root.

  --message TEXT     what whoever comes is told, up to ${TEXT_MAX} characters
  --team T           only this team; the others come as before
${CONFIG_HELP}: DIR/closed holds what is closed

The refusals are on record with the reason closed, and who closed is in the records of the host (team _host).
Exit status: 0; 64 for a wrong option or a team without a policy; 73 and 74 where the host's record cannot be written
(new sessions are turned away all the same); 77 where this account may not; 78 where nixgate.toml has an error.

  nixgate close --message "new disks, back at 18:00"`,
  options: { message: { type: "string" }, team: { type: "string" }, ...CONFIG_OPTIONS },
  async run({ positionals, options }, ports) {
    optionsOnly("close", positionals, "nixgate close --message TEXT");
    const message = messageOf(textOption(options, "message"));
    const configDirectory = textOption(options, "config-dir");
    const directory = ports.directory(configDirectory);
    const team = closedTeam(textOption(options, "team"));
    if (team !== undefined && !hasPolicy(ports, directory, team))
      throw new UsageError(`--team ${team}: has no policy in ${escapeText(directory)}/policies`);
    const log = await ports.log(configDirectory);
    // The builder is closed before the record is written: a failure such as a full disk must not keep it open.
    ports.put(closedPath(directory, team), message);
    const of = team === undefined ? {} : { for_team: team };
    await ports.record(log, { event: "host.close", ...of, ...ports.doer(), message });
    const told = closedWords({ ...(team !== undefined && { team }), text: escapeText(message) });
    return { status: ExitStatus.ok, stdout: `new sessions are told: ${told}\n` };
  },
};

function messageOf(message: string | undefined): string {
  const text = message?.trim() ?? "";
  if (text === "") throw new UsageError("--message TEXT is missing", { hint: "say why, and until when" });
  if (text.length > TEXT_MAX) throw new UsageError(`--message: longer than ${TEXT_MAX} characters`);
  if (hasControlCharacter(text)) throw new UsageError("--message: has a control character", { hint: "write one line" });
  return text;
}

const hasPolicy = ({ files }: ClosingPorts, directory: string, team: string) =>
  ["toml", "json"].some((kind) => files.isThere(`${directory}/policies/${team}.${kind}`));
