import type { CommandResult } from "../../../cli/command.ts";
import { textOption } from "../../../cli/options.ts";
import { type RunCommand, renderRun } from "../../../render/prometheus.ts";
import { NixgateError } from "../../../units/error.ts";

export interface RunMetricsPorts {
  now(): number;
  /**
   * Replaces a file atomically.
   * @throws NixgateError E_RENDER_WRITE
   */
  replace(path: string, text: string): void;
}

export const METRICS_OPTION = { metrics: { type: "string" } } as const;
export const METRICS_HELP = `  --metrics FILE     also write the time, the status and the number of findings of this run to FILE, as metrics for
                     node_exporter's textfile collector`;

/** Runs a command, and writes its outcome where `--metrics` asks for that, also where the command fails. */
export async function withRunMetrics(
  command: RunCommand,
  options: Readonly<Record<string, string | boolean | undefined>>,
  ports: RunMetricsPorts,
  run: () => Promise<CommandResult & { readonly findings: number }>,
): Promise<CommandResult> {
  const file = textOption(options, "metrics");
  const write = (status: number, findings?: number) => {
    if (file !== undefined) ports.replace(file, renderRun({ command, time: ports.now(), status, findings }));
  };
  try {
    const { findings, ...result } = await run();
    write(result.status, findings);
    return result;
  } catch (error) {
    if (error instanceof NixgateError && error.code !== "E_RENDER_WRITE") write(error.exitStatus);
    throw error;
  }
}
