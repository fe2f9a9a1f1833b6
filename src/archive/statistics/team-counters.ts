import type { RecordOf, SessionRecord } from "../../record/schema.ts";
import { type DayFile, type IsAlive, sessionFiles } from "../archive.ts";
import { decodeIn } from "../misplaced.ts";

type Usage = RecordOf<"command.end">["usage"];

/** The counters of a team's sessions since a point in time. */
export interface Tally {
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

const empty = (): Tally => ({
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
 * Adds up the records of `since` or later, for each team, or each team and host. Of a session that began earlier, only
 * its records since then count. Memory holds only the open sessions.
 * @param since RFC 3339, UTC
 */
export function tallyFiles(
  files: readonly DayFile[],
  since: string,
  isAlive: IsAlive,
  { byHost }: { readonly byHost: boolean },
): ReadonlyMap<TallyKey, Tally> {
  const tallies = new Map<string, { readonly key: TallyKey; readonly tally: Tally }>();
  const tallyOf = (team: string, host: string) => {
    const key: TallyKey = { team, ...(byHost && { host }) };
    const name = JSON.stringify(key);
    const known = tallies.get(name) ?? { key, tally: empty() };
    tallies.set(name, known);
    return known.tally;
  };
  for (const file of sessionFiles(files)) {
    const open = new Map<string, SessionRecord>();
    let host = "";
    for (const line of file.lines()) {
      const decoded = decodeIn(file, line);
      if (!decoded.ok) {
        tallyOf(file.team, host).unreadable += 1;
        continue;
      }
      const { record } = decoded;
      host = record.host;
      if (record.event === "session.start") open.set(record.session, record);
      if (record.event === "session.end") open.delete(record.session);
      const tally = tallyOf(file.team, host);
      if (record.time >= since) count(tally, record);
    }
    for (const start of open.values())
      if (start.event === "session.start" && isAlive(start)) tallyOf(file.team, start.host).running += 1;
  }
  return new Map([...tallies.values()].map(({ key, tally }) => [key, tally]));
}

/** The figures whose highest value counts. All others are summed up. */
const PEAKS: readonly (keyof Usage)[] = ["memory_peak_bytes", "tasks_peak"];

const more = (counts: Map<string, number>, name: string) => counts.set(name, (counts.get(name) ?? 0) + 1);

function count(tally: Tally, record: SessionRecord): void {
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
  }
}
