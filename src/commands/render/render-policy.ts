import type { Command, CommandResult } from "../../cli/command.ts";
import { textOption } from "../../cli/options.ts";
import { UsageError } from "../../cli/usage-error.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { type TeamName, teamName } from "../../units/ids.ts";
import { didYouMean, nearest } from "../../units/nearest.ts";
import { escapeText } from "../../units/text.ts";

export interface RenderPolicyPorts {
  /** The texts of policies/ by name. */
  readonly examples: ReadonlyMap<string, string>;
}

export const renderPolicyCommand: Command<RenderPolicyPorts> = {
  name: "render policy",
  summary: "print an example policy for a team",
  usage: "[EXAMPLE [--team NAME]]",
  help: `Prints one of the example policies, with its comments. Without EXAMPLE it lists them. The examples' keys belong to nobody:
replace them before you use the policy. Two teams cannot have the same key.

  --team NAME        the team of the policy; the name of the example by default

  nixgate render policy ci --team alpha >/etc/nixgate/policies/alpha.toml
  nixgate check

Exit status: 0; 64 for an unknown example, a name that no team can have, or a wrong option.
`,
  options: { team: { type: "string" } },
  run({ positionals, options }, { examples }): CommandResult {
    const [name, ...others] = positionals;
    const team = textOption(options, "team");
    if (others.length > 0) throw new UsageError("render policy takes one example", { hint: HINT });
    if (name === undefined) {
      if (team !== undefined) throw new UsageError("--team needs an example", { hint: HINT });
      return { status: ExitStatus.ok, stdout: listOf(examples) };
    }
    const text = examples.get(name);
    if (text === undefined) {
      const near = nearest(name, [...examples.keys()]);
      throw new UsageError(`there is no example "${escapeText(name)}"${didYouMean(near)}`, { hint: HINT });
    }
    return { status: ExitStatus.ok, stdout: forTeam(text, name, named(team ?? name)) };
  },
};

const HINT = "nixgate render policy lists the examples";

function named(text: string): TeamName {
  const team = teamName(text);
  if (team !== undefined) return team;
  throw new UsageError(`--team ${escapeText(text)}: not a team's name`, {
    hint: "a small letter, then up to 31 small letters, digits and -",
  });
}

const DESCRIPTION = /^description = "(.*)"$/m;

function listOf(examples: ReadonlyMap<string, string>): string {
  const width = Math.max(...[...examples.keys()].map((name) => name.length));
  return [...examples].map(([name, text]) => `${name.padEnd(width)}  ${DESCRIPTION.exec(text)?.[1] ?? ""}\n`).join("");
}

/** The example with the team's name in its `team` and in the path of its first comment. */
const forTeam = (text: string, example: string, team: TeamName): string =>
  text.replace(/^team = .*$/m, `team = "${team}"`).replaceAll(`/policies/${example}.toml`, `/policies/${team}.toml`);
