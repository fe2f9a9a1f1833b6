import { daysInUse } from "../../archive/days-in-use.ts";
import { LABELS_MAX, OTHER, tallyFiles } from "../../archive/statistics/team-counters.ts";
import type { Command } from "../../cli/command.ts";
import { optionsOnly, textOption } from "../../cli/options.ts";
import { renderClosings, renderPrometheus } from "../../render/prometheus.ts";
import { type ClosingsPort, DENIED_HELP, problemList, type SessionsPorts, saidOf } from "../sessions/sessions-ports.ts";
import { closingsHere, FILES_OR_JOURNAL, journalSource, openFiles } from "../shared/archive-options.ts";

export interface RenderPrometheusPorts extends SessionsPorts, ClosingsPort {
  /**
   * Replaces a file atomically.
   * @throws NixgateError E_RENDER_WRITE
   */
  replace(path: string, text: string): void;
}

const DAY_MS = 86_400_000;

export const renderPrometheusCommand: Command<RenderPrometheusPorts> = {
  name: "render prometheus",
  summary: "print each team's figures as Prometheus metrics",
  usage: `[--output FILE] ${FILES_OR_JOURNAL.usage}`,
  help: `Prints metrics in Prometheus' text format, from the records of today (UTC) and of the sessions that began yesterday
or still run.
Counters begin anew at 00:00 UTC, which Prometheus handles like a restart.

  --output FILE      write them to FILE instead, by rename(2), so that node_exporter reads only whole files. For its
                     textfile collector: --output /var/lib/prometheus/node-exporter/nixgate.prom, each minute from a timer
${FILES_OR_JOURNAL.help}

From a journal each sample also has the label host. Up to ${LABELS_MAX} teams, and ${LABELS_MAX} hosts of a team, have samples of their
own. All others share the label ${OTHER}.
Exit status: 0; 73 where FILE cannot be written; ${DENIED_HELP}; 74 where the records
cannot be read.
`,
  options: { ...FILES_OR_JOURNAL.options, output: { type: "string" } },
  async run({ positionals, options }, ports) {
    optionsOnly("render prometheus", positionals);
    const output = textOption(options, "output");
    const problems = problemList();
    const { files } = await openFiles(options, ports, problems.report);
    const day = (ago: number) => new Date(ports.now() - ago * DAY_MS).toISOString().slice(0, 10);
    const isAlive = ports.liveness();
    const near = daysInUse(files, day(1), isAlive);
    const byHost = journalSource(options) !== undefined;
    const since = `${day(0)}T00:00:00.000Z`;
    const tallies = tallyFiles(saidOf(near, ports), isAlive, { since, byHost }, problems.report);
    const closings = await closingsHere(options, ports);
    const text = renderPrometheus(tallies) + (closings ? renderClosings(closings) : "");
    if (output === undefined) return { status: problems.status(), stdout: text, stderr: problems.text() };
    ports.replace(output, text);
    return { status: problems.status(), stderr: problems.text() };
  },
};
