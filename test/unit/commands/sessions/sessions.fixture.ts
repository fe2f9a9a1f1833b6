import type { Arguments, CommandResult } from "../../../../src/cli/command.ts";
import type { PrintingPorts } from "../../../../src/commands/sessions/sessions-ports.ts";
import type { VerifyPorts } from "../../../../src/commands/sessions/verify/sessions-verify.ts";
import { RecordError } from "../../../../src/record/error.ts";
import { archiveOf } from "../../../support/archive-in-memory.ts";
import { bodies, sessionLines } from "../../../support/records.ts";

export const quiet = { ...bodies.end, commands: 1, denied: 0, wall_ms: 3000 };
export const early = sessionLines("2026-01-05T03:12:00Z");
export const oom = sessionLines("2026-01-05T04:00:00Z", [
  { ...bodies.start, member: undefined, client: undefined },
  bodies.run,
  { ...bodies.ran, cause: "oom", limit_of: "ancestor", exit_code: undefined, signal: "SIGKILL" },
  { ...quiet, exit: 137, cause: "oom" },
]);
export const running = sessionLines("2026-01-06T05:00:00Z", [{ ...bodies.start, pid: 1 }, bodies.run], {
  team: "beta",
});
export const lost = sessionLines("2026-01-06T05:00:01Z", [{ ...bodies.start, pid: 2 }], { team: "beta" });

export const texts = {
  "alpha/2026-01-05": [...early.lines, ...oom.lines].join(""),
  "beta/2026-01-06": [...running.lines, ...lost.lines].join(""),
};

/** Process 1 is alive, no other; now is the morning after. */
export const portsOf = (files: Readonly<Record<string, string>> = texts): VerifyPorts & PrintingPorts => ({
  replace: () => undefined,
  archive: () => archiveOf(files),
  liveness: () => (start) => start.pid === 1,
  now: () => Date.parse("2026-01-06T06:00:00Z"),
  print: () => true,
  elapsed: () => 0,
  openSeals: async () => {
    throw new RecordError("E_SEAL_STORE", "no seals here");
  },
  createDigester: () => () => undefined,
  async *readJournal() {},
  noJournald: () => "no journald here",
  wantsJournal: async () => true,
});

export const run = async (
  command: { run(args: Arguments, ports: VerifyPorts & PrintingPorts): CommandResult | Promise<CommandResult> },
  positionals: readonly string[],
  options: Readonly<Record<string, string | boolean>> = {},
  ports = portsOf(),
) => {
  let printed = "";
  const print = (text: string) => {
    printed += text;
    return true;
  };
  const result = await command.run({ positionals, options }, { ...ports, print });
  return printed === "" ? result : { ...result, stdout: printed };
};
