import { chownSync, mkdirSync } from "node:fs";
import { NOTABLE_DELAY_MS } from "../session/records-of.ts";
import { RecordFailure } from "../session/session-log.ts";
import { answerToEnd } from "../session/shim-answers.ts";
import type { SessionHandlers } from "../session/supervise.ts";
import { killWhole, MOUNT } from "../system/cgroup/cgroup.ts";
import { clock } from "../system/kernel/clock.ts";
import { answerServing } from "../system/kernel/resident.ts";
import { ExitStatus } from "../units/exit-status.ts";
import type { Pid } from "../units/ids.ts";
import { type Arrival, arrivalsInTurn } from "./arrivals.ts";
import { complaints } from "./complaints.ts";
import { whyNoConnection } from "./connection.ts";
import { CONTROL, type Fifo, readInTurn, sharingGroups } from "./fifos.ts";
import { askIn, killIn, servingAskIn } from "./lines.ts";
import { newSessionOf } from "./new-session.ts";
import { resumableSessions } from "./resumable.ts";
import type { ServedShim } from "./served-shim.ts";
import { budgets } from "./shim/account-budgets.ts";
import { takeOverRoom } from "./shim/answer-room.ts";
import { type Ask, FIRST_ASK, openShimChannel } from "./shim/shim-channel.ts";
import { isNixgateCgroup, type ShimProcess, shimProcessOf, wakeShims } from "./shim/shim-process.ts";
import { guardStreams } from "./shim/shim-streams.ts";
import { answersOf, type Supervisor } from "./supervisor.ts";

const RESTARTED = { told: ["nixgate: the supervisor was restarted; try again"], started: 0 };

/** At most this many warnings a minute for each FIFO, so that one team cannot flood the log. */
const MOST_COMPLAINTS = 20;

/**
 * A shim whose command has ended gets its status, so that its client does not run the command again. The others may try
 * again.
 */
const answerToLost = ({ status = ExitStatus.busy }: Ask): string =>
  answerToEnd(status, status === ExitStatus.busy ? RESTARTED : { told: [], started: 0 });

/**
 * Reads the FIFOs. An unknown shim begins a session, and a known shim continues its own. Before that the supervisor
 * takes over the sessions that an earlier supervisor left, and wakes the shims that it did not answer, so that they ask
 * again.
 */
export async function receive(
  fifos: readonly Fifo[],
  handlers: SessionHandlers,
  supervisor: Supervisor,
): Promise<void> {
  const { guests } = supervisor;
  const host = async (guest: ServedShim, team: string, served: () => Promise<void>) => {
    const { pid } = guest.talk.shim;
    guests.set(pid, guest);
    try {
      await served();
    } catch (error) {
      supervisor.warn("a session could not be served to its end", { team, pid, error: String(error) });
      const status = error instanceof RecordFailure ? error.failure.exitStatus : ExitStatus.bug;
      // a fault of one session must not end the process; without space for an answer the shim is ended below
      await guest.talk.finish((said) => answerToEnd(status, said)).catch(() => guest.talk.shim.signal("SIGKILL"));
    }
    void guest.watch?.end(); // for every session, however it was served
    await guest.talk.end();
    if (guest.scope !== undefined) killWhole(guest.scope); // by now no process of the session may be left
    if (guests.get(pid) === guest) guests.delete(pid);
    if (guest.watch && guest.session !== undefined) supervisor.ipcObjects.sessionEnded(guest.fifo, guest.session);
  };
  const complain = complaints(supervisor.warn, MOST_COMPLAINTS);
  const tellOfWaiting = complaints(supervisor.warn, 1);
  /** Settles when the shim has its first answer, or gets none. */
  const begin = async (fifo: Fifo, { shim, ask, since }: Arrival) => {
    const delayed = clock.monotonic() - since;
    if (delayed >= NOTABLE_DELAY_MS)
      tellOfWaiting(fifo, "sessions wait until other sessions of their team have begun", { ms: delayed });
    const scope = isNixgateCgroup(shim.cgroup) ? MOUNT + shim.cgroup : undefined;
    // another supervisor put it into a scope, and it runs no command any more
    const lost = scope !== undefined;
    const environment = lost ? new Map() : await shim.environment();
    const [, who] = lost ? [] : await shim.words();
    if (typeof environment === "string") {
      shim.close();
      return complain(fifo, "a process that is no shim wrote a request", { pid: shim.pid, why: environment });
    }
    const talk = openShimChannel(shim, answersOf(fifo, supervisor), ask);
    const guest: ServedShim = { talk, fifo, client: undefined, scope, watch: undefined };
    const served = host(guest, fifo.name, async () => {
      if (lost) return talk.answer(() => answerToLost(ask));
      // while the shim writes its line its stdout is the FIFO; when it is stopped its stdout is the client's again
      if (await talk.still()) guardStreams(shim, fifo.uid);
      const session = newSessionOf(fifo, guest, { environment, who, delayed }, supervisor);
      const { notBySshd } = session.standing;
      if (notBySshd !== undefined)
        complain(fifo, "a shim that sshd did not start was refused", { pid: shim.pid, why: notBySshd });
      return handlers.serve(session);
    });
    await Promise.race([talk.begun, served]);
  };
  const arrivals = arrivalsInTurn(begin, ({ uid }) => budgets.isLeft(uid));
  // The team comes from the record's folder: a forged record ends no session of another team.
  const endGuest = (line: string) => {
    const said = killIn(line);
    const guest = said && guests.get(said.pid);
    if (guest?.fifo.name === said?.team) guest?.client?.end("killed-by-admin");
  };
  const sayServing = (line: string) => {
    const word = servingAskIn(line);
    if (word === undefined) return false;
    supervisor.late.write();
    const served = [...guests.values()].flatMap(({ session }) => session ?? []);
    try {
      answerServing(word, { served, late: supervisor.late.sessions() });
    } catch (error) {
      supervisor.warn("the list of served sessions could not be written", { error: String(error) });
    }
    return true;
  };
  const take = async (fifo: Fifo, line: string) => {
    if (fifo.name === CONTROL) return void (sayServing(line) || endGuest(line));
    const ask = askIn(line);
    if (ask === undefined) return complain(fifo, "a line of an unknown form");
    const { pid } = ask;
    const guest = guests.get(pid);
    if (guest?.fifo === fifo && guest.talk.shim.isThere()) return guest.talk.take(ask);
    if (arrivals.has(fifo, pid)) return; // another process has continued it, and it repeats its line
    if (await supervisor.confinedShims.take({ pid, fifo, answers: answersOf(fifo, supervisor) }, ask)) return;
    const shim = await strangerOf(ask, fifo);
    if (typeof shim === "string")
      return complain(fifo, "a process that is no shim wrote a request", { pid, why: shim });
    guardStreams(shim, fifo.uid); // at once, because the account can open the pipes from the shim's start on
    arrivals.add(fifo, shim, ask);
  };

  supervisor.manager.onShutdown(() => {
    for (const guest of guests.values()) guest.client?.end("killed-by-admin");
  });
  const teams = fifos.filter(({ name }) => name !== CONTROL);
  for (const fifo of teams) makeAnswerFolder(fifo, supervisor);
  for (const sharing of sharingGroups(teams))
    supervisor.warn("these teams can read each other's answers: give each account a primary group of its own", {
      sharing,
    });
  for (const { fifo, guest, session } of await resumableSessions(teams, supervisor))
    void host(guest, fifo.name, () => handlers.resume(session));
  for (const { name, uid } of teams) void wakeShims(name, uid);
  const reading = readInTurn(fifos, take, {
    isFull(fifo) {
      if (budgets.isLeft(fifo.uid)) return arrivals.isFull(fifo);
      tellOfWaiting(fifo, "lines of a team wait: its processes used up the team's looks or bytes");
      return true;
    },
    rests: (fifo) => tellOfWaiting(fifo, "lines of a team wait: earlier lines used up the team's share of time"),
  });
  await new Promise<void>((stopped) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, stopped);
    supervisor.ready();
  });
  reading.stop();
}

/**
 * Checks an unknown shim. A shim in a scope belongs to an earlier supervisor, or is a process that a command started.
 * Only the first has sshd as its parent. For a shim outside of a scope no command has run. A line that reports the end
 * of one comes from another process of the account.
 */
export async function strangerOf(
  { pid, number }: Pick<Ask, "number"> & { readonly pid: Pid },
  { name, uid }: Fifo,
): Promise<ShimProcess | string> {
  const shim = await shimProcessOf(pid, name, uid, () => true);
  if (typeof shim === "string") return shim;
  if (!isNixgateCgroup(shim.cgroup) && number === FIRST_ASK) return shim;
  const why = isNixgateCgroup(shim.cgroup)
    ? whyNoConnection(shim.parent, uid)
    : `it has had no answer yet, and asks for answer ${number}`;
  if (why === undefined) return shim;
  shim.close();
  return isNixgateCgroup(shim.cgroup) ? `it is part of another session: ${why}` : why;
}

/**
 * Makes the folder of a team's answers. Root writes there, and the team's group reads. Answers of an earlier supervisor
 * are removed.
 */
function makeAnswerFolder(fifo: Fifo, supervisor: Supervisor): void {
  const folder = answersOf(fifo, supervisor);
  mkdirSync(folder, { recursive: true, mode: 0o750 });
  chownSync(folder, 0, fifo.gid);
  takeOverRoom(folder);
}
