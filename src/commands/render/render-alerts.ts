import type { Command } from "../../cli/command.ts";
import { optionsOnly, textOption } from "../../cli/options.ts";
import { renderAlerts } from "../../render/alerts.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import type { RenderPrometheusPorts } from "./render-prometheus.ts";

export type RenderAlertsPorts = Pick<RenderPrometheusPorts, "replace">;

export const renderAlertsCommand: Command<RenderAlertsPorts> = {
  name: "render alerts",
  summary: "print alerting rules for Prometheus over these metrics",
  usage: "[--output FILE]",
  help: `Prints a file for rule_files of Prometheus: rules over the metrics of nixgate render prometheus, of sessions seal
--metrics and sessions verify --metrics. The rules are the same for every host, so print them once, on the host of
Prometheus. docs/alerts.md has all rules.

  --output FILE      write them to FILE instead, by rename(2): --output /etc/prometheus/nixgate.rules.yml

Check the file with promtool check rules FILE.
Exit status: 0; 73 where FILE cannot be written.
`,
  options: { output: { type: "string" } },
  run({ positionals, options }, { replace }) {
    optionsOnly("render alerts", positionals);
    const output = textOption(options, "output");
    if (output === undefined) return { status: ExitStatus.ok, stdout: renderAlerts() };
    replace(output, renderAlerts());
    return { status: ExitStatus.ok };
  },
};
