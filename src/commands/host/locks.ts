import type { Command } from "../../cli/command.ts";
import { optionsOnly, textOption } from "../../cli/options.ts";
import { isLockInForce, type Lock } from "../../policy/locks.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { CONFIG_HELP, CONFIG_OPTIONS } from "../shared/config-options.ts";
import { jsonDocument } from "../shared/json-document.ts";
import { alignedTable } from "../shared/table.ts";
import { locksIn } from "./lock-words.ts";
import type { LockingPorts } from "./locking-ports.ts";

export const locks: Command<Pick<LockingPorts, "files" | "directory" | "now">> = {
  name: "locks",
  summary: "list the locks that are in force",
  usage: "[--json] [--config-dir DIR]",
  help: `Lists what \`nixgate lock\` locked: whom, since when, until when, by which account, and why. A lock that has run out is not
listed.

  --json             one JSON document: {"locks": [{"kind", "value", "since", "until", "by", "reason"}]}; until is absent where
                     the lock has to be lifted, reason where nobody said one
${CONFIG_HELP}

Exit status: 0; 64 for a wrong option; 78 where the file of locks cannot be read.
`,
  options: { json: { type: "boolean" }, ...CONFIG_OPTIONS },
  async run({ positionals, options }, ports) {
    optionsOnly("locks", positionals);
    const directory = ports.directory(textOption(options, "config-dir"));
    const inForce = locksIn(ports, directory).filter((lock) => isLockInForce(lock, ports.now()));
    if (options["json"] === true) return { status: ExitStatus.ok, stdout: jsonDocument({ locks: inForce }) };
    const stdout = inForce.length === 0 ? "nothing is locked\n" : alignedTable(TITLES, inForce.map(rowOf));
    return { status: ExitStatus.ok, stdout };
  },
};

const TITLES = ["KIND", "VALUE", "SINCE", "UNTIL", "BY", "REASON"];
const rowOf = ({ kind, value, since, until, by, reason }: Lock) => [
  ...[kind, value, since, until ?? "lifted", by],
  reason ?? "-",
];
