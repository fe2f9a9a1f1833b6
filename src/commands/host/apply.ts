import type { Command, CommandResult } from "../../cli/command.ts";
import { optionsOnly, textOption } from "../../cli/options.ts";
import type { ApplyStep } from "../../render/apply-plan.ts";
import { NixgateError } from "../../units/error.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { escapeText } from "../../units/text.ts";
import { CONFIG_HELP, CONFIG_OPTIONS } from "../shared/config-options.ts";
import { type ApplyPorts, type Planned, planFor } from "./apply-ports.ts";

export const apply: Command<ApplyPorts> = {
  name: "apply",
  summary: "make this host match its configuration",
  usage: "[--yes] [--config-dir DIR]",
  help: `Compares this host with its configuration: the files of \`nixgate render units\`, those of \`nixgate render slices\` if they
are in use, and the units of systemd. It prints each step. With --yes it carries the steps out: it writes files, removes
files that nothing needs any more, lets systemd, the kernel and the bus read them, enables nixgate.service and starts or
restarts it. A second run changes nothing. Run it as root, after a team was added or removed, after the log folder was
moved, and after an update of nixgate.

No running session is interrupted. Sessions continue when the supervisor restarts. A step is postponed, with a message, if a
session waits between two commands, or runs in a unit that would be removed.

  --yes              carry the steps out
${CONFIG_HELP}. The first line of each file names its folder, and files
                     of another folder are not changed

Exit status: 0 if nothing is to change, or the changes were made or only printed; 64 for a wrong option; 69 if systemctl
failed; 73 if another file has the name, or a file cannot be written; 75 if a step is postponed; 77 for --yes without
root; 78 if the configuration has an error.
`,
  options: { yes: { type: "boolean" }, ...CONFIG_OPTIONS },
  async run({ positionals, options }, ports): Promise<CommandResult> {
    optionsOnly("apply", positionals);
    const really = options["yes"] === true;
    if (really && !ports.isRoot)
      throw new NixgateError("E_APPLY", ExitStatus.denied, "apply --yes: only root may change the host");
    const plan = await planFor(ports.directory(textOption(options, "config-dir")), ports);
    if (plan.foreign.length > 0) throw inTheWay(plan.foreign);
    if (really) for (const step of plan.steps) ports.perform(step);
    const status = plan.waits.length > 0 ? ExitStatus.busy : ExitStatus.ok;
    return { status, stdout: asText(plan, really), stderr: comments(plan) };
  },
};

const inTheWay = (paths: readonly string[]) =>
  new NixgateError(
    "E_APPLY",
    ExitStatus.cannotCreate,
    `not made by nixgate from this configuration: ${paths.map(escapeText).join(", ")}`,
    { hint: "move it away, or apply the configuration that its first line names" },
  );

function asText({ steps, waits }: Planned, really: boolean): string {
  const lines = steps.map((step) => `${stepWords(step)}: ${step.why}\n`);
  const count = `${steps.length} ${steps.length === 1 ? "change" : "changes"}`;
  const sum =
    steps.length === 0
      ? "nothing to change\n"
      : really
        ? `${count} made\n`
        : `${count} to make: run nixgate apply --yes\n`;
  return [...lines, ...waits.map((wait) => `postponed: ${escapeText(wait)}; run it again later\n`), sum].join("");
}

function stepWords(step: ApplyStep): string {
  switch (step.kind) {
    case "write":
    case "remove":
      return `${step.kind} ${escapeText(step.path)}`;
    case "systemctl":
      return `systemctl ${step.words.map(escapeText).join(" ")}`;
  }
}

const comments = ({ omitted }: Planned) =>
  omitted.map(({ about, fix }) => `left out: ${escapeText(about)}\n  fix: ${escapeText(fix)}\n`).join("");
