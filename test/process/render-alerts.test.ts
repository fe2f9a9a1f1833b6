import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { ALERTS, type Alert } from "../../src/render/alerts.ts";
import { nixgate } from "../support/nixgate.ts";
import { temporaryFolder } from "../support/temporary.ts";

const noPromtool = spawnSync("promtool", ["--version"]).status === 0 ? undefined : "needs promtool";

/** A series without its team and instance, and its values, with and without an alert, one each `step` minutes. */
interface Shown {
  /** The minute that is looked at. */
  readonly at: number;
  /** 1 by default; at most 5, after which a series counts as gone. Long spans take fewer steps. */
  readonly step?: number;
  readonly series: string;
  readonly fires: string;
  readonly quiet: readonly string[];
  readonly value?: string;
}

const refusals = (reason: string) => `nixgate_sessions_refused_total{reason="${reason}"}`;
/** A first event at minute 10 fires. An event of an hour ago, or none, is quiet at minute 20. */
const once = (series: string): Shown => ({ at: 20, series, fires: "_x10 1x20", quiet: ["1x40", "_x40"] });
/** A burst fires, in a new series and in a known one; a few events do not. */
const many = (series: string): Shown => ({ at: 20, series, fires: "_x10 30x20", quiet: ["500x40", "_x10 3x20"] });

const SHOWN: Readonly<Record<string, Shown>> = {
  NixgateDenialBurst: many('nixgate_requests_denied_total{reason="malformed"}'),
  NixgateAccessRefused: once(refusals("member-expired")),
  NixgateConfigurationInvalid: once(refusals("policy-invalid")),
  NixgateBusy: { ...many(refusals("team-busy")), at: 45, fires: "0+5x60" },
  NixgateUnderPressure: many(refusals("io-pressure")),
  NixgateStoreFull: once(refusals("store-full")),
  NixgateRecordsNotWritten: once(refusals("log-unavailable")),
  NixgateRecordsDamaged: { at: 1, series: "nixgate_record_lines_unreadable{}", fires: "1x5", quiet: ["0x5"] },
  NixgateOutOfMemory: {
    ...{ at: 70, series: "nixgate_commands_oom_kills_total{}" },
    ...{ fires: "_x60 4x20", quiet: ["4x80", "_x60 2x20"] },
  },
  NixgateScopesFail: once('nixgate_commands_ended_total{cause="scope-failed"}'),
  NixgateInternalError: once('nixgate_commands_ended_total{cause="internal"}'),
  NixgateClosed: { at: 1500, step: 5, series: "nixgate_closed{}", fires: "1x320", quiet: ["0x320", "0x200 1x120"] },
  NixgateSealFailed: {
    ...{ at: 1, series: 'nixgate_run_status{command="seal"}', value: "74" },
    ...{ fires: "74x5", quiet: ["0x5"] },
  },
  NixgateSealOverdue: {
    ...{ at: 65, series: 'nixgate_run_timestamp_seconds{command="seal"}' },
    ...{ fires: "0x70", quiet: ["0+60x70"] },
  },
  NixgateVerifyFailed: {
    ...{ at: 1, series: 'nixgate_run_status{command="verify"}', value: "65" },
    ...{ fires: "65x5", quiet: ["0x5"] },
  },
  NixgateVerifyOverdue: {
    ...{ at: 2890, step: 5, series: 'nixgate_run_timestamp_seconds{command="verify"}' },
    ...{ fires: "0x600", quiet: ["0x280 84000x300"] },
  },
  NixgateMetricsStale: {
    ...{ at: 20, series: 'node_textfile_mtime_seconds{file="/var/lib/prometheus/node-exporter/nixgate.prom"}' },
    ...{ fires: "0x30", quiet: ["0+60x30"] },
  },
};

async function rulesFile(): Promise<{ readonly folder: string; readonly file: string }> {
  const folder = temporaryFolder("rules");
  const file = join(folder, "nixgate.rules.yml");
  expect(await nixgate(["render", "alerts", "--output", file])).toMatchObject({ status: 0, stderr: "" });
  return { folder, file };
}

const promtool = (...words: string[]) => {
  const { status, stdout, stderr } = spawnSync("promtool", words, { encoding: "utf8" });
  return { status, said: stdout + stderr };
};

test("--output writes what is printed, and a folder that does not exist is refused with 73", async () => {
  const { file } = await rulesFile();
  expect(readFileSync(file, "utf8")).toBe((await nixgate(["render", "alerts"])).stdout.toString());
  expect(await nixgate(["render", "alerts", "--output", "/nowhere/x"])).toMatchObject({ status: 73 });
});

test.skipIf(noPromtool !== undefined)("promtool takes every rule (needs promtool)", async () => {
  const { file } = await rulesFile();
  const { status, said } = promtool("check", "rules", file);
  expect({ status, said }).toEqual({ status: 0, said: expect.stringContaining(`${ALERTS.length} rules found`) });
});

describe.skipIf(noPromtool !== undefined)("in a real Prometheus's evaluation (needs promtool)", () => {
  test.each(ALERTS)(
    "$name fires when it should, and only then",
    async (alert) => {
      const { folder, file } = await rulesFile();
      const { at, step = 1, series, fires, quiet, value } = SHOWN[alert.name] as Shown;
      const run = (values: string, expected: readonly object[]) => {
        const path = join(folder, "test.json"); // YAML is a superset of JSON
        const input_series = [{ series: withLabels(series), values }];
        const alert_rule_test = [{ eval_time: `${at}m`, alertname: alert.name, exp_alerts: expected }];
        const tests = [{ interval: `${step}m`, input_series, alert_rule_test }];
        writeFileSync(path, JSON.stringify({ rule_files: [file], evaluation_interval: `${step}m`, tests }));
        return promtool("test", "rules", path);
      };
      expect(run(fires, [expectedOf(alert, series, value)])).toMatchObject({ status: 0 });
      for (const values of quiet) expect({ values, ...run(values, []) }).toMatchObject({ values, status: 0 });
    },
    180_000,
  );
});

const OWN = { team: "alpha", instance: "builder-1" };

function withLabels(series: string): string {
  return series.replace(/,?\}$/, (end) => `${series.includes("{}") ? "" : ","}team="alpha",instance="builder-1"${end}`);
}

function expectedOf({ severity, summary, next }: Alert, series: string, value = "") {
  const kept = [...series.matchAll(/(command|file)="([^"]*)"/g)].map(([, label, text]) => [label, text]);
  const filled = summary
    .replaceAll("{{ $labels.team }}", OWN.team)
    .replaceAll("{{ $labels.instance }}", OWN.instance)
    .replaceAll("{{ $value }}", value);
  return {
    exp_labels: { ...OWN, severity, ...Object.fromEntries(kept) },
    exp_annotations: { summary: filled, next },
  };
}
