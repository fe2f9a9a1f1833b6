import { RecordError } from "../../record/error.ts";
import type { RecordOf, SessionRecord } from "../../record/schema.ts";
import { escapeText } from "../../units/text.ts";
import { type ArchiveProblem, type DayFile, type IsAlive, type Served, sessionFiles } from "../archive.ts";
import { damageCount, openBytes } from "../bounds.ts";
import { decodeIn } from "../misplaced.ts";

type Usage = RecordOf<"command.end">["usage"];

/** The counters of a team's sessions since a point in time. */
export interface TeamCounters {
  sessions: number;
  readonly refused: Map<string, number>;
  readonly denied: Map<string, number>;
  readonly sessionEnds: Map<string, number>;
  readonly commandEnds: Map<string, number>;
  /** Milliseconds. */
  wall: number;
  /** Sums of the kernel's figures; absent where it never offered the figure. */
  readonly usage: { [Name in keyof Usage]?: number };
  leftovers: number;
  /** Sessions that are running now. */
  running: number;
  /** Lines that are no record. */
  unreadable: number;
}

const empty = (): TeamCounters => ({
  ...{ sessions: 0, wall: 0, usage: {}, leftovers: 0, running: 0, unreadable: 0 },
  ...{ refused: new Map(), denied: new Map(), sessionEnds: new Map(), commandEnds: new Map() },
});

/** The key of sessions that are counted together. */
export interface TallyKey {
  readonly team: string;
  /** Absent where hosts are not counted separately. */
  readonly host?: string;
}

/**
 * The most teams, and the most hosts of a team, that are counted separately. An account can write any host's name into
 * its records.
 */
export const LABELS_MAX = 500;
/** The name of all other teams, or of all other hosts of a team. No team and no host can have it. */
export const OTHER = "_other";

export interface TallyOptions {
  /** RFC 3339, UTC. */
  readonly since: string;
  readonly byHost: boolean;
}

/**
 * Adds up the records of `since` or later, for each team, or each team and host. Of a session that began earlier, only
 * its records since then count. Memory holds only the open sessions, within the bounds of `openBytes`. Where a file is
 * beyond a bound, `report` says so and the rest of that file does not count.
 */
export function tallyFiles(
  files: readonly DayFile[],
  isAlive: IsAlive,
  { since, byHost }: TallyOptions,
  report: (problem: ArchiveProblem) => void,
): ReadonlyMap<TallyKey, TeamCounters> {
  const tallies = new Map<string, { readonly key: TallyKey; readonly tally: TeamCounters }>();
  const teams = new Map<string, Set<string>>();
  const tallyOf = (anyTeam: string, anyHost: string) => {
    const team = teams.has(anyTeam) || teams.size < LABELS_MAX ? anyTeam : OTHER;
    const hosts = teams.get(team) ?? new Set();
    teams.set(team, hosts);
    const host = !byHost || hosts.has(anyHost) || hosts.size < LABELS_MAX ? anyHost : OTHER;
    if (byHost) hosts.add(host);
    const key: TallyKey = { team, ...(byHost && { host }) };
    const name = JSON.stringify(key);
    const known = tallies.get(name) ?? { key, tally: empty() };
    tallies.set(name, known);
    return known.tally;
  };
  for (const file of sessionFiles(files)) {
    const open = openServed(file.path);
    const damage = damageCount(file.path);
    let host = "";
    try {
      for (const line of file.lines()) {
        const decoded = decodeIn(file, line);
        if (!decoded.ok) {
          tallyOf(file.team, host).unreadable += 1;
          damage.add();
          continue;
        }
        const { record } = decoded;
        host = record.host;
        if (record.event === "session.start") open.begin(record, line.bytes.length);
        if (record.event === "session.end") open.end(record.session);
        const tally = tallyOf(file.team, host);
        if (record.time >= since) count(tally, record);
      }
    } catch (error) {
      if (!(error instanceof RecordError)) throw error;
      const denied = error.code === "E_LOG_DENIED" && { denied: { team: file.team } };
      report({ path: escapeText(file.path), what: error.message, unread: true, ...denied });
    }
    for (const start of open.all()) if (isAlive(start)) tallyOf(file.team, start.host).running += 1;
  }
  return new Map([...tallies.values()].map(({ key, tally }) => [key, tally]));
}

/** The sessions of a file that have no end so far. Of each start only what `isAlive` needs is kept. */
function openServed(path: string) {
  const open = new Map<string, { readonly served: Served; readonly bytes: number }>();
  const held = openBytes(path);
  const end = (session: string): void => {
    held.remove(open.get(session)?.bytes ?? 0);
    open.delete(session);
  };
  return {
    /** @throws RecordError E_LOG_READ above the bound */
    begin({ session, host, boot, pid, time, started_ticks, machine }: RecordOf<"session.start">, bytes: number): void {
      end(session);
      held.add(bytes);
      open.set(session, { served: { host, boot, pid, time, started_ticks, machine }, bytes });
    },
    end,
    all: (): readonly Served[] => [...open.values()].map(({ served }) => served),
  };
}

/** The figures whose highest value counts. All others are summed up. */
const PEAKS: readonly (keyof Usage)[] = ["memory_peak_bytes", "tasks_peak"];

const more = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);

function count(tally: TeamCounters, record: SessionRecord): void {
  switch (record.event) {
    case "session.start":
      tally.sessions += 1;
      break;
    case "session.refuse":
      more(tally.refused, record.reason);
      break;
    case "command.deny":
      more(tally.denied, record.reason);
      break;
    case "session.end":
      more(tally.sessionEnds, record.cause);
      break;
    case "command.end": {
      const { usage, cause, wall_ms, leftovers } = record;
      more(tally.commandEnds, cause);
      tally.wall += wall_ms;
      tally.leftovers += leftovers ?? 0;
      for (const [name, value] of Object.entries(usage) as [keyof Usage, number | undefined][]) {
        if (value === undefined) continue;
        const known = tally.usage[name] ?? 0;
        tally.usage[name] = PEAKS.includes(name) ? Math.max(known, value) : known + value;
      }
      break;
    }
    case "command.start":
    case "host.close":
    case "host.open":
    case "lock.set":
    case "lock.lift":
  }
}
