import type { Command } from "../../cli/command.ts";
import { optionsOnly, textOption } from "../../cli/options.ts";
import { allClosings, type Closing, closedPath } from "../../policy/closed.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { escapeText } from "../../units/text.ts";
import { CONFIG_HELP, CONFIG_OPTIONS } from "../shared/config-options.ts";
import { type ClosingPorts, closedTeam } from "./closing-ports.ts";

export const open: Command<ClosingPorts> = {
  name: "open",
  summary: "admit new sessions again after nixgate close",
  usage: "[--team T] [--config-dir DIR]",
  help: `Ends a closure of \`nixgate close\`: without --team the closure of all teams, with --team that of one team. It prints the
closures that remain. Run it as root.

  --team T           the team that was closed
${CONFIG_HELP}

Exit status: 0, also if nothing was closed; 64 for a wrong option; 73 and 74 if the host's record cannot be written
(the closure then remains); 77 if this account may not open; 78 if nixgate.toml has an error.
`,
  options: { team: { type: "string" }, ...CONFIG_OPTIONS },
  async run({ positionals, options }, ports) {
    optionsOnly("open", positionals, "for one team: --team NAME");
    const configDirectory = textOption(options, "config-dir");
    const directory = ports.directory(configDirectory);
    const team = closedTeam(textOption(options, "team"));
    const path = closedPath(directory, team);
    const wasClosed = ports.files.isThere(path);
    if (wasClosed) {
      const of = team === undefined ? {} : { for_team: team };
      // The record is written before any session is admitted.
      await ports.record(await ports.log(configDirectory), { event: "host.open", ...of, ...ports.doer() });
      ports.take(path);
    }
    const what = team === undefined ? "the builder" : `team ${team}`;
    const done = `${what} ${wasClosed ? "is open again" : "was not closed"}\n`;
    const still = allClosings(ports.files, directory).map((closing) => `still closed: ${stillWords(closing)}\n`);
    return { status: ExitStatus.ok, stdout: done + still.join("") };
  },
};

const stillWords = ({ team, text }: Closing) =>
  team === undefined
    ? `all teams: ${text} (nixgate open)`
    : `team ${escapeText(team)}: ${text} (nixgate open --team ${escapeText(team)})`;
