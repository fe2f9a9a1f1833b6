import { decodeAdded } from "../../../archive/misplaced.ts";
import type { OpenSession } from "../../../archive/sessions/open-sessions.ts";
import type { LiveFigures } from "../../../ending/live-figures.ts";
import type { RecordOf, SessionRecord } from "../../../record/schema.ts";
import { type Pid, toPid } from "../../../units/ids.ts";

/** A running session with the usage of its command. Unknown values are absent. */
export interface TopRow {
  readonly session: string;
  readonly team: string;
  readonly member?: string;
  readonly isolation: RecordOf<"session.start">["isolation"];
  /** The pid of the nixgate process. */
  readonly pid: Pid;
  readonly age_ms: number;
  /** The request; absent between two commands. */
  readonly command?: string;
  readonly unit?: string;
  /** Per cent of one CPU, over the last interval. */
  readonly cpu_percent?: number;
  readonly cpu_quota_percent?: number;
  readonly memory_bytes?: number;
  readonly memory_max_bytes?: number;
  readonly tasks?: number;
  readonly tasks_max?: number;
}

export interface Running {
  readonly start: RecordOf<"session.start">;
  readonly command: RecordOf<"command.start"> | undefined;
}

/** A session's lines as records; undefined where its first line is no start, or one of another team's session. */
export function readOpen({ team, start, command }: OpenSession): Running | undefined {
  const began = read(team, start);
  const runs = command === undefined ? undefined : read(team, command);
  if (began?.event !== "session.start") return undefined;
  return { start: began, command: runs?.event === "command.start" ? runs : undefined };
}

function read(team: string, text: string): SessionRecord | undefined {
  const decoded = decodeAdded({ team, text });
  return decoded.ok ? decoded.record : undefined;
}

/** The CPU time of each command at one moment. */
export interface CpuSample {
  /** Milliseconds of a clock that cannot be set. */
  readonly at: number;
  /** The key is the team and the session with the number of the command. */
  readonly cpuMs: ReadonlyMap<string, number>;
}

export const commandKey = ({ start, command }: Running): string => `${start.team}/${start.session} ${command?.n}`;

/** The moment of the figures. */
export interface Moment {
  /** Milliseconds since 1970. */
  readonly now: number;
  /** Milliseconds of the clock of `CpuSample`. */
  readonly at: number;
}

/** @param before the sample of the refresh before this one */
export function topRow(
  running: Running,
  figures: LiveFigures,
  { now, at }: Moment,
  before: CpuSample | undefined,
): TopRow {
  const { start, command } = running;
  const { cpu_ms, ...others } = figures;
  const used = before?.cpuMs.get(commandKey(running));
  const percent =
    cpu_ms === undefined || used === undefined || before === undefined || at <= before.at
      ? undefined
      : (Math.max(0, cpu_ms - used) / (at - before.at)) * 100;
  return {
    session: start.session,
    team: start.team,
    ...(start.member !== undefined && { member: start.member }),
    isolation: start.isolation,
    pid: toPid(start.pid),
    age_ms: Math.max(0, start.monotonic_ms === undefined ? now - Date.parse(start.time) : at - start.monotonic_ms),
    ...(command && { command: command.request }),
    ...(command?.unit !== undefined && { unit: command.unit }),
    ...(percent !== undefined && { cpu_percent: Math.round(percent * 10) / 10 }),
    ...others,
  };
}

/** The busiest first. Equals are sorted by age, so that rows keep their places. */
export const byCpu = (a: TopRow, b: TopRow): number =>
  (b.cpu_percent ?? -1) - (a.cpu_percent ?? -1) || b.age_ms - a.age_ms || (a.session < b.session ? -1 : 1);
