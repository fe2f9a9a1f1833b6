import type { Command, CommandResult } from "../../cli/command.ts";
import { optionsOnly, textOption } from "../../cli/options.ts";
import type { Step } from "../../render/apply-plan.ts";
import { NixgateError } from "../../units/error.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { escapeText } from "../../units/text.ts";
import { CONFIG_HELP, CONFIG_OPTIONS } from "../shared/config-options.ts";
import { type ApplyPorts, type Planned, planFor } from "./apply-ports.ts";

export const apply: Command<ApplyPorts> = {
  name: "apply",
  summary: "make this host as the configuration asks for it",
  usage: "[--yes] [--config-dir DIR]",
  help: `Compares what the configuration asks for with what is on this host: the files of \`nixgate render units\`, where they are
in use those of \`nixgate render slices\`, and the units of systemd. Shows each step, and with --yes does it: writes files,
removes those that nothing asks for any more, has systemd, the kernel and the bus read them, enables nixgate.service and
starts or restarts it. Done again it changes nothing. To be run by root, after each team that comes or goes, a moved log
folder, and a new version of nixgate.

No running session is cut. The supervisor is restarted without its sessions noticing; where sessions wait between two
commands, or run in what is to go, that step is put off, and said.

  --yes              do it
${CONFIG_HELP}. Each file says in its first line of which folder it
                     is, and files of another one are left alone

Exit status: 0 where all is as it should be, or has been done, or would be done; 64 for a wrong option; 69 where systemctl
failed; 73 where a file is in the way or cannot be written; 75 where a step is put off; 77 for --yes without root; 78
where the configuration has an error.
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
        : `${count} to make: nixgate apply --yes does it\n`;
  return [...lines, ...waits.map((wait) => `put off: ${escapeText(wait)}; run it again later\n`), sum].join("");
}

function stepWords(step: Step): string {
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
