import type { Command } from "../../cli/command.ts";
import { textOption } from "../../cli/options.ts";
import { isLockInForce, locksPath } from "../../policy/locks.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { CONFIG_HELP, CONFIG_OPTIONS } from "../shared/config-options.ts";
import { forTeam, isSame, KINDS_HELP, lockSubject, locksIn } from "./lock-words.ts";
import type { LockingPorts } from "./locking-ports.ts";

export const unlock: Command<LockingPorts> = {
  name: "unlock",
  summary: "lift a lock",
  usage: "KIND VALUE [--config-dir DIR]",
  help: `Takes back what \`nixgate lock\` did, for the same kind and value. To be run by root.

${KINDS_HELP}
${CONFIG_HELP}

Exit status: 0, also where there was no such lock; 64 for a wrong word; 73 and 74 where the host's record cannot be written
(it stays locked then); 77 where this account may not; 78 where nixgate.toml has an error.

  nixgate unlock member alpha/ci
`,
  options: CONFIG_OPTIONS,
  async run({ positionals, options }, ports) {
    const subject = lockSubject("unlock", positionals);
    const configDirectory = textOption(options, "config-dir");
    const directory = ports.directory(configDirectory);
    const isKnown = () => locksIn(ports, directory).some((lock) => isSame(lock, subject));
    if (!isKnown()) return { status: ExitStatus.ok, stdout: `${subject.kind} ${subject.value} was not locked\n` };
    // The record is written before any session is admitted.
    const log = await ports.log(configDirectory);
    await ports.record(log, { event: "lock.lift", ...forTeam(subject), ...ports.doer(), ...subject });
    await ports.changeLocks(locksPath(directory), async () =>
      locksIn(ports, directory).filter((lock) => !isSame(lock, subject) && isLockInForce(lock, ports.now())),
    );
    return { status: ExitStatus.ok, stdout: `${subject.kind} ${subject.value} is locked no more\n` };
  },
};
