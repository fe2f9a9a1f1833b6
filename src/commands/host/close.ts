import type { Command } from "../../cli/command.ts";
import { lineOption, optionsOnly, textOption } from "../../cli/options.ts";
import { UsageError } from "../../cli/usage-error.ts";
import { closedPath, closedWords, TEXT_MAX } from "../../policy/closed.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { escapeText } from "../../units/text.ts";
import { CONFIG_HELP, CONFIG_OPTIONS } from "../shared/config-options.ts";
import { type ClosingPorts, closedTeam } from "./closing-ports.ts";

export const close: Command<ClosingPorts> = {
  name: "close",
  summary: "refuse new sessions for a while; running ones continue",
  usage: "--message TEXT [--team T] [--config-dir DIR]",
  help: `From now on new sessions end with status 75 and TEXT, and nixgate reads nothing from them. A Nix client then uses its next
builder. Running sessions continue. The closure persists across reboots, until \`nixgate open\`. Run it as root.

  --message TEXT     the message for clients, up to ${TEXT_MAX} characters
  --team T           close only this team
${CONFIG_HELP}; DIR/closed has the closures

Refusals are on record with the reason closed. The records of the host (team _host) name the account that closed.
Exit status: 0; 64 for a wrong option or a team without a policy; 73 and 74 where the host's record cannot be written
(new sessions are refused nevertheless); 77 if this account may not close; 78 if nixgate.toml has an error.

  nixgate close --message "new disks, back at 18:00"`,
  options: { message: { type: "string" }, team: { type: "string" }, ...CONFIG_OPTIONS },
  async run({ positionals, options }, ports) {
    optionsOnly("close", positionals, "nixgate close --message TEXT");
    const message = lineOption(options, "message", TEXT_MAX);
    if (message === "") throw new UsageError("--message TEXT is missing", { hint: "say why, and until when" });
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

const hasPolicy = ({ files }: ClosingPorts, directory: string, team: string) =>
  ["toml", "json"].some((kind) => files.isThere(`${directory}/policies/${team}.${kind}`));
