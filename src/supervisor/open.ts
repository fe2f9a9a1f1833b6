import { chmodSync, existsSync, renameSync, writeFileSync } from "node:fs";
import { pino } from "pino";
import { accountsOf } from "../policy/accounts.ts";
import { mayTrace } from "../session/command/standing.ts";
import type { SupervisePorts } from "../session/supervise.ts";
import { accountOfGroup } from "../system/accounts/accounts.ts";
import { openJournal } from "../system/journal/journal.ts";
import { bySpool } from "../system/journal/journal-spool.ts";
import { removeIfThere } from "../system/kernel/kernel-files.ts";
import { ptraceScope } from "../system/kernel/ptrace-scope.ts";
import { READY } from "../system/kernel/resident.ts";
import { sessionRecords } from "../system/session/session-records.ts";
import { NixgateError } from "../units/error.ts";
import { ExitStatus } from "../units/exit-status.ts";
import { type TeamName, toPid } from "../units/ids.ts";
import { tally } from "./admission-counters.ts";
import { outsideBuilds } from "./builds/outside-builds.ts";
import { receive } from "./dispatch.ts";
import { passedFifos } from "./fifos.ts";
import { ipcObjects } from "./ipc-objects.ts";
import { lateRecords } from "./late-records.ts";
import { logWriters } from "./log-writers.ts";
import { makeThreadsFor } from "./shim/account-reads.ts";
import { confinedShims } from "./shim/confined-shims.ts";
import { strays } from "./strays.ts";
import type { Supervisor } from "./supervisor.ts";
import { systemManager } from "./systemd/system-manager.ts";

const RUN_DIRECTORY = "/run/nixgate";
/** Exists from the start of a supervisor to its orderly end. */
const RUNNING = `${RUN_DIRECTORY}/_running`;

/**
 * The supervisor's own log, one JSON object a line on stdout. systemd connects stdout to the journal. Records of
 * sessions are not part of it.
 */
export const openLog = () => pino({ base: null, timestamp: false, formatters: { level: (level) => ({ level }) } });

/** @throws NixgateError E_SUPERVISE */
export async function openSupervisor(
  own: Pick<Supervisor, "version" | "program" | "shim" | "log" | "warn">,
): Promise<SupervisePorts["sessions"]> {
  const accountIn = (team: string, gid: number) => accountOfGroup(accountsOf({ team: team as TeamName }), gid);
  const fifos = passedFifos(process.env, toPid(process.pid), accountIn, (team) =>
    own.warn("a team is not served: none of its accounts has the group of its FIFO; run nixgate apply", { team }),
  );
  if (process.geteuid?.() !== 0) throw cannot("supervise must be root", "start nixgate.service");
  if (fifos.length === 0)
    throw cannot("systemd has passed no FIFO", "start it by its sockets: nixgate render units prints them");
  makeThreadsFor(fifos.length);
  const followsCrash = existsSync(RUNNING);
  writeFileSync(RUNNING, "");
  const guests: Supervisor["guests"] = new Map();
  const { counting, logRoom } = logWriters();
  const written = sessionRecords("system", bySpool(`${RUN_DIRECTORY}/_journal`));
  const records = { ...written, open: counting(written.open) };
  const late = lateRecords(records.open);
  const manager = await systemManager(own.warn);
  const supervisor: Supervisor = {
    ...own,
    manager,
    confinedShims: confinedShims(),
    guests,
    strays: strays((pid) => guests.get(pid)?.scope !== undefined, own.warn),
    ipcObjects: ipcObjects(manager, guests, own.warn),
    outside: outsideBuilds(own.warn),
    followsCrash,
    admission: tally(logRoom),
    records: { ...records, later: late.keep },
    late,
    runDirectory: RUN_DIRECTORY,
    ready() {
      // While this file exists a shim waits for an answer. A full /run must not leave the shims without a supervisor.
      writeFileSync(`${READY}.new`, `${process.pid}\n`);
      chmodSync(`${READY}.new`, 0o644); // whatever the umask
      renameSync(`${READY}.new`, READY);
    },
  };
  if (mayTrace(ptraceScope()))
    own.warn("kernel.yama.ptrace_scope is not 1 or more: sessions are refused", { found: ptraceScope() ?? "no Yama" });
  const note = own.log.journald ? openJournal().note : undefined;
  if (note !== undefined) own.warn(note, {});
  return async (handlers) => {
    await receive(fifos, handlers, supervisor);
    removeIfThere(READY);
    late.write();
    // the next supervisor sends the copies that journald has not taken by then
    const missing = await supervisor.records.flush();
    if (missing > 0) own.warn("copies of records have not reached the journal yet", { missing });
    removeIfThere(RUNNING);
  };
}

const cannot = (message: string, hint: string) =>
  new NixgateError("E_SUPERVISE", ExitStatus.unavailable, message, { hint });
