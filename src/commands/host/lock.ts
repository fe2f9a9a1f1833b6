import type { Command, CommandResult } from "../../cli/command.ts";
import { durationOption, lineOption, textOption } from "../../cli/options.ts";
import { UsageError } from "../../cli/usage-error.ts";
import { TEXT_MAX } from "../../policy/closed.ts";
import { isLockInForce, type Lock, locksPath, MOST_LOCKS } from "../../policy/locks.ts";
import { NixgateError } from "../../units/error.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { escapeText } from "../../units/text.ts";
import { CONFIG_HELP, CONFIG_OPTIONS } from "../shared/config-options.ts";
import { endLocked } from "./end-locked.ts";
import { forTeam, isSame, KINDS_HELP, lockSubject, locksIn } from "./lock-words.ts";
import type { LockingPorts } from "./locking-ports.ts";
import { unknownSubject } from "./unknown-subject.ts";

export const lock: Command<LockingPorts> = {
  name: "lock",
  summary: "refuse a team, member or key now, and end its sessions",
  usage: "KIND VALUE [--reason TEXT] [--for TIME] [--config-dir DIR]",
  help: `From this moment on every session that the lock is on is refused with status 77, and those that run are ended with the cause
killed-by-admin. The lock holds over a reboot, until \`nixgate unlock\` or the end of --for. To be run by root.

${KINDS_HELP}

  --reason TEXT      why, up to ${TEXT_MAX} characters, for the records; the client is only told to ask the administrator
  --for TIME         how long, such as 2h; the host's wall clock decides
${CONFIG_HELP}: DIR/locks holds the locks

A second lock on the same takes the place of the first. Who locked, and why, is in the records of the host (team _host); the
reason is in the records of the sessions, too.
Exit status: 0; 64 for a wrong word, and for a team or member that no policy has; 69 where a session has not ended in time; 73
and 74 where the host's record cannot be written (it is locked all the same); 77 where this account may not, or where it may
not read all records; 78 where nixgate.toml has an error.

  nixgate lock key SHA256:47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU --reason "laptop stolen"
`,
  options: { reason: { type: "string" }, for: { type: "string" }, ...CONFIG_OPTIONS },
  async run({ positionals, options }, ports): Promise<CommandResult> {
    const subject = lockSubject("lock", positionals);
    const since = ports.now();
    const reason = lineOption(options, "reason", TEXT_MAX);
    const lasting = durationOption(options, "for");
    const until = lasting === undefined ? {} : { until: new Date(since + lasting).toISOString() };
    const terms: Pick<Lock, "reason" | "until"> = { ...(reason !== "" && { reason }), ...until };
    const configDirectory = textOption(options, "config-dir");
    const directory = ports.directory(configDirectory);
    const unknown = await unknownSubject(subject, ports.files, directory);
    if (unknown && subject.kind !== "key") throw new UsageError(unknown.message, { hint: unknown.fix });
    const log = await ports.log(configDirectory);
    const doer = ports.doer();
    const by = doer.login?.user ?? doer.user;
    // The lock is set before the record is written: a failure such as a full disk must not let anybody in.
    await ports.changeLocks(locksPath(directory), async () =>
      withLock(locksIn(ports, directory), { ...subject, ...terms, since: new Date(since).toISOString(), by }, since),
    );
    await ports.record(log, { event: "lock.set", ...forTeam(subject), ...doer, ...subject, ...terms });
    const ended = await endLocked(subject, options, ports);
    const stdout = `${subject.kind} ${subject.value} is locked${terms.until ? ` until ${terms.until}` : ""}\n${ended.stdout}`;
    const noted = unknown ? `nixgate: ${escapeText(unknown.message)}\n` : "";
    return { status: ended.status, stdout, stderr: noted + ended.stderr };
  },
};

/** The locks with this one in the place of an older one on the same. Locks that have run out are left out. */
function withLock(locks: readonly Lock[], lock: Lock, now: number): readonly Lock[] {
  const others = locks.filter((other) => !isSame(other, lock) && isLockInForce(other, now));
  if (others.length < MOST_LOCKS) return [...others, lock];
  throw new NixgateError("E_LOCKS", ExitStatus.cannotCreate, `there are ${MOST_LOCKS} locks already`, {
    hint: "lift some of them, or take the keys out of the policies",
  });
}
