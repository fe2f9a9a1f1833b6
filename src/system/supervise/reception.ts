import { chownSync, mkdirSync } from "node:fs";
import { answerToEnd } from "../../session/front-answers.ts";
import { NOTABLE_DELAY_MS } from "../../session/records-of.ts";
import { RecordFailure } from "../../session/session-log.ts";
import type { Serve } from "../../session/supervise.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { killWhole, MOUNT } from "../cgroup.ts";
import { clock } from "../clock.ts";
import { answerServing } from "../resident.ts";
import { takeOverRoom } from "./answer-room.ts";
import { type Arrival, arrivalsInTurn } from "./arrivals.ts";
import { complaints } from "./complaints.ts";
import { whyNoConnection } from "./connection.ts";
import { type Fifo, readInTurn, sharingGroups } from "./fifos.ts";
import { type Front, frontOf, isOurs, wakeFronts } from "./front.ts";
import type { FrontClient } from "./front-client.ts";
import { askIn, killIn, servingIn } from "./lines.ts";
import { returnsOf } from "./returns.ts";
import { answersOf, type Supervisor } from "./supervisor.ts";
import { type Ask, type Talk, talkWith } from "./talk.ts";
import { visitOf } from "./visit.ts";

/** The name of the FIFO through which root ends a session: `kill PID TEAM`. */
const CONTROL = "_control";

const RESTARTED = { told: ["nixgate: the supervisor was restarted; try again"], started: 0 };

/** At most this many warnings a minute for each FIFO, so that one team cannot flood the log. */
const MOST_COMPLAINTS = 20;

/** Whose command is over gets its status, so that nobody runs it again; the others may try again. */
const answerToLost = ({ status = ExitStatus.busy }: Ask): string =>
  answerToEnd(status, status === ExitStatus.busy ? RESTARTED : { told: [], started: 0 });

/** A front that is being served. */
export interface Guest {
  readonly talk: Talk;
  /** Its team's: nobody else has a say in it. */
  readonly fifo: Fifo;
  /** Once it has an id. */
  session?: string;
  /** Once it is known how long it may be gone unnoticed. */
  client: FrontClient | undefined;
  /** The folder of the scope that its front is in; undefined while that is outside of nixgate's slice. */
  scope: string | undefined;
  /** Once it has run a command: of what its account does outside of sessions. */
  watch: ReturnType<Supervisor["strays"]["watch"]> | undefined;
}

/**
 * Reads the FIFOs: a front that is not known yet begins a session, the others go on with theirs. Before that, sessions
 * that an earlier supervisor left are taken over, and fronts that it did not answer are woken to ask again.
 */
export async function receive(fifos: readonly Fifo[], serve: Serve, supervisor: Supervisor): Promise<void> {
  const { guests } = supervisor;
  const host = async (guest: Guest, team: string, served: () => Promise<void>) => {
    const { pid } = guest.talk.front;
    guests.set(pid, guest);
    try {
      await served();
    } catch (error) {
      supervisor.warn("a session could not be served to its end", { team, pid, error: String(error) });
      const status = error instanceof RecordFailure ? error.failure.exitStatus : ExitStatus.bug;
      // nothing of one session may end the process: where there is no room for an answer the front is ended below
      await guest.talk.finish((said) => answerToEnd(status, said)).catch(() => guest.talk.front.signal("SIGKILL"));
    }
    void guest.watch?.end(); // however it was served
    await guest.talk.end();
    if (guest.scope !== undefined) killWhole(guest.scope); // nothing of the session may be left by now
    if (guests.get(pid) === guest) guests.delete(pid);
  };
  const complain = complaints(supervisor.warn, MOST_COMPLAINTS);
  const tellOfWaiting = complaints(supervisor.warn, 1);
  /** Settles when the front has its first answer, or gets none. */
  const begin = async (fifo: Fifo, { front, ask, since }: Arrival) => {
    const delayed = clock.monotonic() - since;
    if (delayed >= NOTABLE_DELAY_MS)
      tellOfWaiting(fifo, "sessions wait for others of their team to begin", { ms: delayed });
    const scope = isOurs(front.cgroup) ? MOUNT + front.cgroup : undefined;
    // another supervisor answered it before, or put it into a scope; and it is in no command any more
    const lost = ask.number > 1 || scope !== undefined;
    const environment = lost ? new Map() : front.environment();
    if (typeof environment === "string") {
      front.close();
      return complain(fifo, "a process asked that is no front", { pid: front.pid, why: environment });
    }
    const talk = talkWith(front, answersOf(fifo, supervisor), ask);
    const guest: Guest = { talk, fifo, client: undefined, scope, watch: undefined };
    const served = host(guest, fifo.name, async () => {
      if (lost) return talk.answer(() => answerToLost(ask));
      const visit = visitOf(fifo, guest, { environment, delayed }, supervisor);
      const { notBySshd } = visit.standing;
      if (notBySshd !== undefined)
        complain(fifo, "a front came that sshd did not start", { pid: front.pid, why: notBySshd });
      return serve.visit(visit);
    });
    await Promise.race([talk.begun, served]);
  };
  const arrivals = arrivalsInTurn(begin);
  // The team is that of the record's folder: a forged record ends nobody else's session.
  const endGuest = (line: string) => {
    const said = killIn(line);
    const guest = said && guests.get(said.pid);
    if (guest?.fifo.name === said?.team) guest?.client?.end("killed-by-admin");
  };
  const sayServing = (line: string) => {
    const word = servingIn(line);
    if (word === undefined) return false;
    supervisor.late.write();
    const served = [...guests.values()].flatMap(({ session }) => session ?? []);
    try {
      answerServing(word, { served, late: supervisor.late.sessions() });
    } catch (error) {
      supervisor.warn("it could not be said which sessions are served", { error: String(error) });
    }
    return true;
  };
  const take = (fifo: Fifo, line: string) => {
    if (fifo.name === CONTROL) return void (sayServing(line) || endGuest(line));
    const ask = askIn(line);
    if (ask === undefined) return complain(fifo, "a line that is none of a front's");
    const { pid } = ask;
    const guest = guests.get(pid);
    if (guest?.fifo === fifo && guest.talk.front.isThere()) return guest.talk.take(ask);
    if (supervisor.insiders.take(fifo, answersOf(fifo, supervisor), pid, ask)) return;
    const front = strangerOf(pid, fifo);
    if (typeof front !== "string") return arrivals.add(fifo, front, ask);
    return complain(fifo, "a process asked that is no front", { pid, why: front });
  };

  const teams = fifos.filter(({ name }) => name !== CONTROL);
  for (const fifo of teams) makeAnswerFolder(fifo, supervisor);
  for (const sharing of sharingGroups(teams))
    supervisor.warn("these teams read each other's answers: give each account a primary group of its own", { sharing });
  for (const { fifo, guest, back } of await returnsOf(teams, supervisor))
    void host(guest, fifo.name, () => serve.return(back));
  for (const { name, uid } of teams) wakeFronts(name, uid);
  const reading = readInTurn(fifos, take, {
    isFull: arrivals.isFull,
    rests: (fifo) => tellOfWaiting(fifo, "lines of a team wait: those before took more than their share of time"),
  });
  await new Promise<void>((stopped) => {
    for (const signal of ["SIGTERM", "SIGINT"] as const) process.once(signal, stopped);
    supervisor.ready();
  });
  reading.stop();
}

/** A front that is not known. One in a scope is another supervisor's, or a process that a command started: sshd's is not that. */
function strangerOf(pid: number, { name, uid }: Fifo): Front | string {
  const front = frontOf(pid, name, uid, () => true);
  if (typeof front === "string" || !isOurs(front.cgroup)) return front;
  const why = whyNoConnection(front.parent, uid);
  if (why === undefined) return front;
  front.close();
  return `it is part of another session: ${why}`;
}

/** Root writes there, the team's group reads; what an earlier supervisor left is nobody's answer any more. */
function makeAnswerFolder(fifo: Fifo, supervisor: Supervisor): void {
  const folder = answersOf(fifo, supervisor);
  mkdirSync(folder, { recursive: true, mode: 0o750 });
  chownSync(folder, 0, fifo.gid);
  takeOverRoom(folder);
}
