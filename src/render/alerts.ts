import type { RecordCause, RecordReason } from "../record/vocabulary.ts";

/** One rule of Prometheus. A rule has a value for each thing that is wrong, such as a team. */
export interface Alert {
  readonly name: string;
  readonly severity: "critical" | "warning" | "info";
  readonly expression: string;
  /** How long the expression must have held. */
  readonly lasting?: string;
  readonly summary: string;
  /** The next command or page for who is called. */
  readonly next: string;
}

/**
 * How much counters rose in a time, as a vector of those that rose. increase() does not see the first value of a new
 * series, and a series of these metrics begins with the first event of the day.
 */
const risen = (counter: string, time: string) =>
  `(increase(${counter}[${time}]) > 0 or (${counter} unless ${counter} offset ${time}))`;

const inAll = (label: string, counter: string, time: string) => `sum without (${label}) (${risen(counter, time)})`;
const refused = (...reasons: readonly RecordReason[]) =>
  inAll("reason", `nixgate_sessions_refused_total{reason=~"${reasons.join("|")}"}`, "15m");
const ended = (cause: RecordCause) => inAll("cause", `nixgate_commands_ended_total{cause="${cause}"}`, "15m");
const TEAM = "team {{ $labels.team }} on {{ $labels.instance }}";
const HOST = "{{ $labels.instance }}";

/** Rules over the metrics of `render prometheus`, and of `sessions seal` and `sessions verify` with `--metrics`. */
export const ALERTS: readonly Alert[] = [
  {
    name: "NixgateDenialBurst",
    severity: "warning",
    expression: `${inAll("reason", "nixgate_requests_denied_total", "15m")} > 20`,
    summary: `many requests of ${TEAM} were denied`,
    next: "nixgate sessions list --denied --since 1h",
  },
  {
    name: "NixgateAccessRefused",
    severity: "warning",
    expression: `${refused("unknown-team", "unknown-member", "member-expired", "locked", "not-by-sshd")} > 0`,
    summary: `a session of ${TEAM} came without access: an unknown, expired or locked key, or not through sshd`,
    next: "nixgate sessions list --denied --since 1h; nixgate locks",
  },
  {
    name: "NixgateConfigurationInvalid",
    severity: "critical",
    expression: `${refused("policy-invalid")} > 0`,
    summary: `sessions of ${TEAM} are refused because the configuration has an error`,
    next: "nixgate check",
  },
  {
    name: "NixgateBusy",
    severity: "warning",
    expression: `${refused("team-busy", "rate", "host-busy")} > 20`,
    lasting: "15m",
    summary: `many sessions of ${TEAM} find no slot`,
    next: "nixgate sessions top; docs/configuration.md, Room for sessions",
  },
  {
    name: "NixgateUnderPressure",
    severity: "warning",
    expression: `${refused("cpu-pressure", "memory-pressure", "io-pressure")} > 5`,
    summary: `sessions of ${TEAM} are refused because the host is under pressure`,
    next: "nixgate sessions top",
  },
  {
    name: "NixgateStoreFull",
    severity: "critical",
    expression: `${refused("store-full")} > 0`,
    summary: `sessions of ${TEAM} are refused because the file system of /nix/store is nearly full`,
    next: "df /nix/store; df --inodes /nix/store",
  },
  {
    name: "NixgateRecordsNotWritten",
    severity: "critical",
    expression: `${refused("log-unavailable", "log-full")} > 0`,
    summary: `sessions of ${TEAM} are refused because they cannot be recorded, or the log is nearly full`,
    next: "df /var/log/nixgate; journalctl -t nixgate",
  },
  {
    name: "NixgateRecordsDamaged",
    severity: "critical",
    expression: "nixgate_record_lines_unreadable > 0",
    summary: `the records of ${TEAM} have lines that are no record`,
    next: "nixgate sessions verify",
  },
  {
    name: "NixgateOutOfMemory",
    severity: "warning",
    expression: `${risen("nixgate_commands_oom_kills_total", "1h")} > 2`,
    summary: `the OOM killer ended several processes of ${TEAM}`,
    next: "nixgate sessions stats; MemoryMax in docs/limits.md",
  },
  {
    name: "NixgateScopesFail",
    severity: "critical",
    expression: `${ended("scope-failed")} > 0`,
    summary: `commands of ${TEAM} failed: their limits could not be set, or a build ran outside of them`,
    next: "nixgate check",
  },
  {
    name: "NixgateInternalError",
    severity: "critical",
    expression: `${ended("internal")} > 0`,
    summary: `nixgate failed while it served ${TEAM}`,
    next: "journalctl -t nixgate",
  },
  {
    name: "NixgateClosed",
    severity: "info",
    expression: "nixgate_closed == 1",
    lasting: "1d",
    summary: `nixgate close has refused new sessions on ${HOST} for a day`,
    next: "nixgate open",
  },
  {
    name: "NixgateSealFailed",
    severity: "critical",
    expression: 'nixgate_run_status{command="seal"} != 0',
    summary: `the last seal of the records of ${HOST} ended with status {{ $value }}`,
    next: "journalctl -u nixgate-seal; docs/trust.md",
  },
  {
    name: "NixgateSealOverdue",
    severity: "warning",
    expression: 'time() - nixgate_run_timestamp_seconds{command="seal"} > 3600',
    summary: `the records of ${HOST} have not been sealed for an hour`,
    next: "systemctl status nixgate-seal.timer",
  },
  {
    name: "NixgateVerifyFailed",
    severity: "critical",
    expression: 'nixgate_run_status{command="verify"} != 0',
    summary: `the last check of the records of ${HOST} ended with status {{ $value }}`,
    next: "nixgate sessions verify; docs/incident.md",
  },
  {
    name: "NixgateVerifyOverdue",
    severity: "warning",
    expression: 'time() - nixgate_run_timestamp_seconds{command="verify"} > 172800',
    summary: `the records of ${HOST} have not been checked for two days`,
    next: "nixgate sessions verify",
  },
  {
    name: "NixgateMetricsStale",
    severity: "warning",
    expression: 'time() - node_textfile_mtime_seconds{file=~"(.*/)?nixgate.prom"} > 900',
    summary: `nixgate's metrics of ${HOST} have not been written for a quarter of an hour`,
    next: "nixgate render prometheus",
  },
];

/** The rules as a file for `rule_files` of Prometheus. A text in double quotes is YAML where it is JSON. */
export function renderAlerts(): string {
  const rules = ALERTS.map(({ name, severity, expression, lasting, summary, next }) =>
    [
      `      - alert: ${name}`,
      `        expr: ${JSON.stringify(expression)}`,
      ...(lasting === undefined ? [] : [`        for: ${lasting}`]),
      "        labels:",
      `          severity: ${severity}`,
      "        annotations:",
      `          summary: ${JSON.stringify(summary)}`,
      `          next: ${JSON.stringify(next)}`,
    ].join("\n"),
  );
  return `# Alerting rules of nixgate, for rule_files of Prometheus. They need the metrics of nixgate render prometheus.
groups:
  - name: nixgate
    rules:
${rules.join("\n")}
`;
}
