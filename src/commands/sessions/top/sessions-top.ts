import type { AddedLine, Archive, ArchiveProblem, Served } from "../../../archive/archive.ts";
import { daysInUse } from "../../../archive/days-in-use.ts";
import { openSessions } from "../../../archive/sessions/open-sessions.ts";
import type { Arguments, Command, CommandResult } from "../../../cli/command.ts";
import { optionsOnly, textOption } from "../../../cli/options.ts";
import { UsageError } from "../../../cli/usage-error.ts";
import type { LiveFigures } from "../../../ending/live-figures.ts";
import type { Closing } from "../../../policy/closed.ts";
import { parseDuration } from "../../../units/durations.ts";
import { ExitStatus } from "../../../units/exit-status.ts";
import { type Pid, toPid } from "../../../units/ids.ts";
import { isQuantity } from "../../../units/quantities.ts";
import { escapeText } from "../../../units/text.ts";
import { closingsHere, FILES, openSource } from "../../shared/archive-options.ts";
import { jsonDocument } from "../../shared/json-document.ts";
import { type ClosingsPort, DENIED_HELP, problemList, type SessionsPorts } from "../sessions-ports.ts";
import { byCpu, type CpuSample, commandKey, type Running, readOpen, type TopRow, topRow } from "./top-rows.ts";
import { type HostFigures, topTable } from "./top-table.ts";

type Paths = ReadonlySet<string>;

/** A terminal that shows one page. */
export interface Screen {
  size(): { readonly columns: number; readonly rows: number };
  draw(lines: readonly string[]): void;
  wait(ms: number): Promise<"due" | "resized" | "quit">;
  close(): void;
}

export interface SessionsTopPorts extends SessionsPorts, ClosingsPort {
  /** The lines added since the last call to files of `since` (YYYY-MM-DD) and later, and to the files in `also`. */
  growthOf(archive: Archive): {
    lines(since: string, report: (problem: ArchiveProblem) => void, also: Paths): Iterable<AddedLine>;
  };
  liveFigures(command: {
    readonly pid: Pid;
    readonly unit: string | undefined;
    readonly boundsBuilds: boolean;
  }): Promise<LiveFigures | undefined>;
  hostFigures(): Promise<HostFigures>;
  /** Whether a session is of this boot of this host. The processes of another host are not visible. */
  isHere(start: Served): boolean;
  /** Milliseconds of a clock that cannot be set. */
  monotonic(): number;
  sleep(ms: number): Promise<void>;
  readonly terminal: boolean;
  readonly colour: boolean;
  openScreen(): Screen;
}

const INTERVAL_MS = 2000;
const ONCE_MS = 500;
const DAY_MS = 86_400_000;

export const sessionsTop: Command<SessionsTopPorts> = {
  name: "sessions top",
  summary: "watch running sessions and their resource use",
  usage: `[--once] [--json] [--team T] [--interval 2s] [--days N] ${FILES.usage}`,
  help: `Shows the running sessions of this host, the busiest first: CPU in the last interval, memory and tasks of the running
command, each with its limit. q or Ctrl-C ends it. SESSION is the end of the id, which sessions show and kill accept.

  --once             print one table; also if stdout is not a terminal
  --json             one JSON document, once
  --team T           of this team
  --interval TIME    the interval of the display and of the CPU figure: ${INTERVAL_MS / 1000}s, with --once ${ONCE_MS}ms
  --days N           read the files of the last N days, 2 by default; for older files the index says whether a
                     session still runs
${FILES.help}

The figures are those of the command's cgroup. Without a cgroup they are sums over its processes, and memory is resident
memory. The first lines have the closures of nixgate close. An unknown figure or limit is "-".
Exit status: 0, 64 for a wrong option, ${DENIED_HELP}, 74 where the records cannot be read.
`,
  options: {
    ...FILES.options,
    once: { type: "boolean" },
    json: { type: "boolean" },
    team: { type: "string" },
    interval: { type: "string" },
    days: { type: "string" },
  },
  async run({ positionals, options }, ports) {
    optionsOnly("sessions top", positionals, "for one session: nixgate sessions show ID");
    const once = options["once"] === true || options["json"] === true || !ports.terminal;
    const interval = intervalOf(options) ?? (once ? ONCE_MS : INTERVAL_MS);
    const days = daysOf(options);
    const look = looker(await openSource(options, ports), textOption(options, "team"), days, ports);
    const closings = async () => (await closingsHere(options, ports)) ?? [];
    const shown = { look, closings, interval };
    return once ? printOnce(shown, options["json"] === true, ports) : showLive(shown, ports);
  },
};

function intervalOf(options: Arguments["options"]): number | undefined {
  const text = textOption(options, "interval");
  if (text === undefined) return undefined;
  const interval = parseDuration(text);
  if (!isQuantity(interval) || interval < 100 || interval > 3_600_000)
    throw new UsageError(`--interval ${escapeText(text)}: not a time between 100ms and 1h`, {
      hint: "write 2s or 500ms",
    });
  return interval;
}

function daysOf(options: Arguments["options"]): number {
  const text = textOption(options, "days") ?? "2";
  if (!/^[1-9]\d{0,3}$/.test(text))
    throw new UsageError(`--days ${escapeText(text)}: not a number of days`, { hint: "a whole number from 1" });
  return Number(text);
}

type Look = () => Promise<{ readonly rows: readonly TopRow[]; readonly problems: string; readonly status: ExitStatus }>;

/**
 * Refreshes repeatedly: the archive's new lines, then the figures of each command. CPU is measured between two
 * refreshes.
 */
function looker(archive: Archive, team: string | undefined, days: number, ports: SessionsTopPorts): Look {
  const open = openSessions();
  const growth = ports.growthOf(archive);
  const firstDay = () => new Date(ports.now() - days * DAY_MS).toISOString().slice(0, 10);
  const hereAlive = () => {
    const isAlive = ports.liveness();
    return (start: Served) => ports.isHere(start) && isAlive(start);
  };
  let since = firstDay();
  const also = new Set(daysInUse(archive.scan().files, since, hereAlive()).map(({ path }) => path));
  let before: CpuSample | undefined;
  return async () => {
    const problems = problemList(team);
    // A clock that is set meanwhile, back or forward, removes no file from the list.
    if (firstDay() < since) since = firstDay();
    for (const line of growth.lines(since, problems.report, also)) open.take(line);
    const isAlive = hereAlive();
    const running = open.all().flatMap((session): readonly Running[] => {
      const known = readOpen(session);
      if (known && isAlive(known.start)) return team === undefined || known.start.team === team ? [known] : [];
      open.drop(session);
      return [];
    });
    const at = ports.monotonic();
    const now = ports.now();
    const figures = await Promise.all(running.map(({ command }) => figuresOf(command, ports)));
    const rows = running.map((one, index) => topRow(one, figures[index] ?? {}, { now, at }, before));
    const cpuMs = running.flatMap((one, index): [string, number][] => {
      const used = figures[index]?.cpu_ms;
      return used === undefined ? [] : [[commandKey(one), used]];
    });
    before = { at, cpuMs: new Map(cpuMs) };
    return { rows: rows.sort(byCpu), problems: problems.text(), status: problems.status() };
  };
}

async function figuresOf(command: Running["command"], ports: SessionsTopPorts): Promise<LiveFigures> {
  if (command?.pid === undefined) return {};
  return (
    (await ports.liveFigures({
      pid: toPid(command.pid),
      unit: command.unit,
      boundsBuilds: command.builds_bounded_by === "session",
    })) ?? {}
  );
}

type Closings = () => Promise<readonly Closing[]>;

/** What is shown: the sessions, and what is closed to new ones. */
interface Shown {
  readonly look: Look;
  readonly closings: Closings;
  readonly interval: number;
}

async function printOnce(
  { look, closings, interval }: Shown,
  json: boolean,
  ports: SessionsTopPorts,
): Promise<CommandResult> {
  const first = await look();
  if (first.rows.length > 0) await ports.sleep(interval);
  const { rows } = await look();
  const host = await ports.hostFigures();
  const time = new Date(ports.now()).toISOString();
  const closed = await closings();
  const stdout = json
    ? jsonDocument({ time, host, closed, sessions: rows })
    : `${topTable(host, rows, closed).join("\n")}\n`;
  return { status: first.status, stdout, stderr: first.problems };
}

async function showLive({ look, closings, interval }: Shown, ports: SessionsTopPorts): Promise<CommandResult> {
  const heading = (line: string) => (ports.colour ? `\u001b[7m${line}\u001b[0m` : line);
  const screen = ports.openScreen();
  let problems = "";
  let status: ExitStatus = ExitStatus.ok;
  try {
    for (let happened = "due"; happened !== "quit"; ) {
      const seen = await look();
      problems ||= seen.problems;
      status ||= seen.status;
      const lines = topTable(await ports.hostFigures(), seen.rows, await closings());
      do {
        const { columns } = screen.size();
        screen.draw(lines.map((line) => line.slice(0, columns)).map((line, at) => (at === 2 ? heading(line) : line)));
        happened = await screen.wait(interval);
      } while (happened === "resized");
    }
  } finally {
    screen.close();
  }
  return { status, stderr: problems };
}
