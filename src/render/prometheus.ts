import type { TallyKey, TeamCounters } from "../archive/statistics/team-counters.ts";
import type { Closing } from "../policy/closed.ts";
import { escapeText } from "../units/text.ts";

interface Metric {
  readonly name: string;
  readonly type: "counter" | "gauge";
  readonly help: string;
  /** The samples of one team and host; empty where there is no figure. */
  of(tally: TeamCounters): readonly (readonly [labels: Readonly<Record<string, string>>, value: number])[];
}

const one = (value: number | undefined) => (value === undefined ? [] : [[{}, value] as const]);
const seconds = (ms: number | undefined) => one(ms === undefined ? undefined : ms / 1000);
const each = (label: string, counts: ReadonlyMap<string, number>) =>
  [...counts].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, value]) => [{ [label]: name }, value] as const);

/**
 * All counters restart with each UTC day. `sessions prune` removes whole days of records, and a counter must not fall.
 */
const METRICS: readonly Metric[] = [
  metric("nixgate_sessions_total", "counter", "Sessions that began.", (t) => one(t.sessions)),
  metric("nixgate_sessions_running", "gauge", "Sessions that are there now.", (t) => one(t.running)),
  metric("nixgate_sessions_refused_total", "counter", "Sessions that were refused as a whole.", (t) =>
    each("reason", t.refused),
  ),
  metric("nixgate_sessions_ended_total", "counter", "Sessions that ended.", (t) => each("cause", t.sessionEnds)),
  metric("nixgate_requests_denied_total", "counter", "Requests that were denied.", (t) => each("reason", t.denied)),
  metric("nixgate_commands_ended_total", "counter", "Commands that ended.", (t) => each("cause", t.commandEnds)),
  metric("nixgate_commands_wall_seconds_total", "counter", "Time from start to end of commands.", (t) =>
    seconds(t.wall),
  ),
  metric("nixgate_commands_cpu_seconds_total", "counter", "CPU time of commands, user and system.", (t) =>
    seconds(t.usage.cpu_ms),
  ),
  metric("nixgate_commands_throttled_seconds_total", "counter", "Time that CPUQuota held commands back.", (t) =>
    seconds(t.usage.cpu_throttled_ms),
  ),
  metric("nixgate_commands_read_bytes_total", "counter", "Read from block devices by commands.", (t) =>
    one(t.usage.io_read_bytes),
  ),
  metric("nixgate_commands_written_bytes_total", "counter", "Written to block devices by commands.", (t) =>
    one(t.usage.io_write_bytes),
  ),
  metric("nixgate_commands_oom_kills_total", "counter", "Processes that the OOM killer ended.", (t) =>
    one(t.usage.oom_kills),
  ),
  metric("nixgate_commands_tasks_refused_total", "counter", "Forks that TasksMax refused.", (t) =>
    one(t.usage.tasks_refused),
  ),
  metric("nixgate_commands_leftovers_total", "counter", "Processes left over that had to be ended.", (t) =>
    one(t.leftovers),
  ),
  metric("nixgate_commands_memory_peak_bytes", "gauge", "Highest memory that a command of the day held.", (t) =>
    one(t.usage.memory_peak_bytes),
  ),
  metric("nixgate_record_lines_unreadable", "gauge", "Lines of the day's files that are no record.", (t) =>
    one(t.unreadable),
  ),
];

function metric(name: string, type: Metric["type"], help: string, of: Metric["of"]): Metric {
  return { name, type, help: type === "counter" ? `${help} Since 00:00 UTC.` : help, of };
}

/**
 * Counts in Prometheus' text format 0.0.4, for node_exporter's textfile collector. Prometheus itself labels the scraped
 * host. So the label for the host is set only where there are several.
 */
export function renderPrometheus(tallies: ReadonlyMap<TallyKey, TeamCounters>): string {
  return METRICS.map(({ name, type, help, of }) => {
    const samples = [...tallies].flatMap(([{ team, host }, tally]) =>
      of(tally).map(([labels, value]) => {
        const all = { team, ...(host !== undefined && { host }), ...labels };
        const pairs = Object.entries(all).map(([label, text]) => `${label}="${escaped(text)}"`);
        return `${name}{${pairs.join(",")}} ${value}\n`;
      }),
    );
    return samples.length === 0 ? "" : `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${samples.join("")}`;
  }).join("");
}

/** A command whose runs a timer starts. */
export type RunCommand = "seal" | "verify";

interface Run {
  readonly command: RunCommand;
  /** The end of the run, in milliseconds since 1970. */
  readonly time: number;
  readonly status: number;
  /** Undefined where the run ended before it knew them. */
  readonly findings: number | undefined;
}

const RUN_METRICS: readonly (readonly [name: string, help: string, value: (run: Run) => number | undefined])[] = [
  ["nixgate_run_timestamp_seconds", "When the command last ended, in seconds since 1970.", ({ time }) => time / 1000],
  ["nixgate_run_status", "The exit status of its last run.", ({ status }) => status],
  ["nixgate_run_findings", "The findings of its last run.", ({ findings }) => findings],
];

/** The outcome of one run, as a file of its own for the textfile collector. */
export function renderRun(run: Run): string {
  return RUN_METRICS.map(([name, help, read]) => {
    const value = read(run);
    if (value === undefined) return "";
    return `# HELP ${name} ${help}\n# TYPE ${name} gauge\n${name}{command="${run.command}"} ${value}\n`;
  }).join("");
}

/** Every metric that nixgate writes. */
export const METRIC_NAMES: readonly string[] = [
  ...METRICS.map(({ name }) => name),
  "nixgate_closed",
  ...RUN_METRICS.map(([name]) => name),
];

/** There is always a sample for the whole host, so that an alert ends when the host is open again. */
export function renderClosings(closings: readonly Closing[]): string {
  const all = closings.some(({ team }) => team === undefined) ? 1 : 0;
  const teams = closings.flatMap(({ team }) =>
    team === undefined ? [] : [`nixgate_closed{team="${escaped(team)}"} 1\n`],
  );
  return `# HELP nixgate_closed Whether nixgate close refuses new sessions: of all teams, or of one.
# TYPE nixgate_closed gauge
nixgate_closed ${all}
${teams.join("")}`;
}

const escaped = (text: string) => escapeText(text).replaceAll("\\", "\\\\").replaceAll('"', '\\"');
