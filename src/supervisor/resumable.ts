import { existsSync, readdirSync } from "node:fs";
import { dirname } from "node:path";
import type { DayFile, Served } from "../archive/archive.ts";
import { recoverFiles } from "../archive/lost/recover-files.ts";
import { type Unended, unendedIn } from "../archive/lost/unended.ts";
import { decodeIn } from "../archive/misplaced.ts";
import type { RawLine } from "../record/decode.ts";
import { ofFile } from "../record/error.ts";
import type { RecordOf } from "../record/schema.ts";
import { commandSliceName, sliceCgroup, sliceName, unescapedUnit } from "../scope/names.ts";
import { answerToEnd } from "../session/shim-answers.ts";
import type { ResumableSession } from "../session/supervise.ts";
import { openArchive } from "../system/archive/archive.ts";
import { killAllBut, killWhole, MOUNT, processesOf } from "../system/cgroup/cgroup.ts";
import { clock, within } from "../system/kernel/clock.ts";
import { bootsHere } from "../system/lost/liveness.ts";
import { recoverPorts } from "../system/lost/recover-ports.ts";
import { dayOfSession, type SessionId, sessionId, type TeamName, toPid } from "../units/ids.ts";
import type { Milliseconds } from "../units/quantities.ts";
import { heldBuilds } from "./builds/command-builds.ts";
import { kinOf, whyNoConnection } from "./connection.ts";
import type { Fifo } from "./fifos.ts";
import { LOOKED_AT_BY_SHIM } from "./new-session.ts";
import type { ServedShim } from "./served-shim.ts";
import { confinedScope } from "./shim/confined.ts";
import { type ResumableShims, resumableShimsOf } from "./shim/resumable-shims.ts";
import { openShimChannel } from "./shim/shim-channel.ts";
import { clientOfShim } from "./shim/shim-client.ts";
import { unconfinedScope } from "./shim/shim-scopes.ts";
import { guardStreams } from "./shim/shim-streams.ts";
import { answersOf, type Supervisor } from "./supervisor.ts";

interface Found {
  readonly fifo: Fifo;
  readonly guest: ServedShim;
  readonly session: ResumableSession;
}

/**
 * Finds the sessions of an earlier supervisor whose command still runs in its scope. The records of all its other
 * sessions are ended: only one supervisor writes records, and that is this process now.
 */
export async function resumableSessions(teams: readonly Fifo[], supervisor: Supervisor): Promise<readonly Found[]> {
  const { directory, journald } = supervisor.log;
  const found = new Map<string, Found>();
  const files = existsSync(directory) ? openArchive(directory).scan().files : [];
  const ours = teams.flatMap(({ name }) => filesToLookAt(name, files));
  const each = (look: (file: DayFile) => void) => {
    for (const file of ours) {
      try {
        look(file);
      } catch (error) {
        supervisor.warn("a file could not be searched for sessions", {
          team: file.team,
          file: file.path,
          why: ofFile(file, error).message,
        });
      }
    }
  };
  const unended: Unended[] = [];
  each((file) => void unended.push(...unendedIn(file)));
  const look = async (lost: Unended) => {
    const fifo = teams.find(({ name }) => name === lost.start.team);
    if (fifo === undefined) return;
    const looking = resumableShimsOf(lost, fifo, supervisor);
    const shims = await within(LOOK_WITHIN_MS, looking, undefined);
    if (shims === undefined) void looking.then((late) => late?.shim.close());
    else found.set(lost.start.session, resumableOf(shims, fifo, supervisor));
  };
  await Promise.all(unended.map(look));
  if (supervisor.followsCrash && journald) each((file) => copyLast(file, supervisor.records));
  const kept = new Set([...found.values()].flatMap(({ session }) => keptUnits(session.resumed)));
  for (const team of teams) endScopes(team, kept);
  const { copyToJournal, flush } = supervisor.records;
  const ports = recoverPorts(directory, journald ? { copy: copyToJournal, flush } : undefined);
  // A session of another manager may still be served by its own process. Only a supervisor of this host can have
  // written this one, in this boot or an earlier one.
  const bootOf = bootsHere();
  const isOurs = (start: Served) => bootOf(start) !== "elsewhere";
  const isGone: typeof ports.isGone = (start) => {
    const { session, isolation } = start as RecordOf<"session.start">;
    return isolation === "scope-system" ? !found.has(session) && isOurs(start) : ports.isGone(start);
  };
  const names = new Set<string>(teams.map(({ name }) => name));
  const later = files.filter((file) => names.has(file.team) && file.day > ago(-1) && !ours.includes(file));
  const { failed, notes } = await recoverFiles([...ours, ...later], { ...ports, isGone });
  for (const { message } of failed) supervisor.warn("records could not be ended", { why: message });
  for (const note of notes) supervisor.warn("records were left out", { why: note });
  return [...found.values()];
}

/**
 * The time for the look at the shims of a session, in milliseconds. Code of a team can make it wait (`readOfAccount`). The
 * other teams' sessions must not wait for it.
 */
const LOOK_WITHIN_MS = 10_000;
/** The time that a shim of an ended session may read a line before it asks and gets its answer, in milliseconds. */
const LINE_WITHIN_MS = 600_000 as Milliseconds;

/** The unit of a command, and its slice where it has one of its own. */
const keptUnits = ({ lost: { start }, begun }: ResumableSession["resumed"]): readonly (string | undefined)[] => [
  begun.unit,
  commandSliceName(start.team as TeamName, start.session as SessionId, begun.n),
];

/** Ends the processes in scopes that no session uses any more, except shims: they ask again and get an answer. */
function endScopes({ name: team, uid }: Fifo, kept: ReadonlySet<string | undefined>): void {
  for (const unit of unitsOf(team)) {
    const folder = `${sliceOf(team)}/${unit}`;
    const shim = processesOf(folder).find((pid) => whyNoConnection(kinOf(pid)?.parent ?? toPid(0), uid) === undefined);
    if (kept.has(unit) || (shim !== undefined && isWaiting(unit, kept))) continue;
    if (shim === undefined) killWhole(folder);
    else {
      killAllBut(shim, folder);
      clock.after(LINE_WITHIN_MS, () => killWhole(folder));
    }
  }
}

/** Whether a shim waits there for a command that is confined in a service of its own. */
const isWaiting = (unit: string, kept: ReadonlySet<string | undefined>): boolean =>
  [...kept].some((name) => name?.endsWith(".service") && unit.startsWith(name.replace(/\d+\.service$/, "")));

const sliceOf = (team: string) => MOUNT + sliceCgroup(sliceName(team as TeamName));

/** The scopes and services in a team's slice, and the slices of commands with their builds. */
const unitsOf = (team: string): readonly string[] =>
  existsSync(sliceOf(team)) ? readdirSync(sliceOf(team)).filter((name) => /\.(?:scope|service|slice)$/.test(name)) : [];

const DAY_MS = 86_400_000;
const SESSION_IN_UNIT = /-([0-9a-f-]{36})-\d+\.(?:scope|service|slice)$/;

/** The day of that many days ago. */
const ago = (days: number) => new Date(Date.now() - days * DAY_MS).toISOString().slice(0, 10);

/**
 * The days of the sessions whose commands still run, and the two latest days. These can have records that were being
 * written when a supervisor or the host died. `nixgate recover` handles earlier days: reading a whole archive would
 * delay new sessions.
 */
function filesToLookAt(team: string, files: readonly DayFile[]): readonly DayFile[] {
  const running = unitsOf(team).flatMap(
    (unit) => sessionId(SESSION_IN_UNIT.exec(unescapedUnit(unit))?.[1] ?? "") ?? [],
  );
  const days = new Set(running.map((session) => dayOfSession(session)));
  // A file of a future day would displace the files that were being written. Clocks may differ by a day. After a clock
  // was set back, the latest files by name are not the files that were written last.
  for (const day of [ago(0), ago(1)]) days.add(day);
  const own = files.filter((file) => file.team === team).sort((a, b) => (a.day < b.day ? 1 : -1));
  const latest = own.filter(({ day }) => day <= ago(-1)).slice(0, 2);
  return own.filter((file) => latest.includes(file) || days.has(file.day));
}

/** So many lines at the end of a file can be damaged, and the last record is found all the same. */
const LATEST_LINES = 100;

/**
 * A killed supervisor may have written a record without sending its copy. That record is then the last of a file. A
 * record that an account wrote before the folder became root's is not sent in another team's name.
 */
function copyLast(file: DayFile, records: Supervisor["records"]): void {
  const latest: RawLine[] = [];
  for (const line of file.lines()) {
    latest.push({ ...line, bytes: Uint8Array.from(line.bytes) });
    if (latest.length > LATEST_LINES) latest.shift();
  }
  for (const line of latest.reverse()) {
    const decoded = decodeIn(file, line);
    if (!decoded.ok) continue;
    records.copyToJournal(decoded.record, Buffer.from(line.bytes).toString());
    return;
  }
}

/** The session of these shims, as the next supervisor continues it. */
export function resumableOf(shims: ResumableShims, fifo: Fifo, supervisor: Supervisor): Found {
  const { lost, begun, unit, cgroup, boundsBuilds, shim, inside } = shims;
  const { start } = lost;
  const answers = answersOf(fifo, supervisor);
  guardStreams(shim, fifo.uid); // a supervisor of an older nixgate did not
  const guest: ServedShim = {
    talk: openShimChannel(shim, answers, undefined),
    fifo,
    session: start.session,
    client: undefined,
    scope: MOUNT + shim.cgroup,
    watch: undefined,
  };
  // A record of an older nixgate has no monotonic time, and the clock may have been set back since.
  const at = begun.monotonic_ms ?? clock.monotonic() - Math.max(0, Date.now() - Date.parse(begun.time));
  return {
    fifo,
    guest,
    session: {
      resumed: { lost, begun },
      end: (status) => guest.talk.finish((said) => answerToEnd(status, said)),
      reopen(terms, grace) {
        const client = clientOfShim(guest.talk, fifo, grace);
        guest.client = client;
        const holder = inside?.shim ?? shim;
        // If the shim is stopped, its line was not read or its command has not begun. It then asks again.
        const begin = () => void (holder.state() === "stopped" && holder.signal("SIGCONT"));
        const own = MOUNT + cgroup;
        const applied = Object.fromEntries(terms.expectations.map(({ property, value }) => [property, value]));
        const made = {
          ...{ openedAt: at, begunAt: at, invocation: begun.invocation, applied, appliedToTeam: undefined, begin },
          ...{ unit, folder: boundsBuilds ? dirname(own) : own, program: terms.argv[0] },
          builds: boundsBuilds ? heldBuilds(own, terms.stopTimeout, supervisor) : undefined,
          stopTimeout: terms.stopTimeout,
        };
        const scope = inside
          ? confinedScope(inside, made, supervisor)
          : unconfinedScope(guest.talk, made, supervisor.manager);
        const { admission, records } = supervisor;
        guest.watch = supervisor.strays.watch(fifo);
        const strays = async () => guest.watch?.end();
        return {
          scope,
          ports: { clock, client, admission, records, programs: LOOKED_AT_BY_SHIM, strays },
        };
      },
    },
  };
}
