import { type Finding, LAYERS, type Layer, placeOf } from "../../../archive/finding.ts";
import type { Acknowledged } from "../../../archive/verify/acknowledged.ts";
import type { FileCount } from "../../../archive/verify/verify.ts";
import { plural } from "../../../record/wording.ts";
import { escapeText } from "../../../units/text.ts";
import type { LayerReport } from "./verify-layers.ts";

/** The author, time and text of a finding's explanation. */
export const whyOf = ({ time, by, why = "" }: Acknowledged["seal"]) => ({
  explained: { time, ...(by && { by }), why },
});
type Explained = Finding & ReturnType<typeof whyOf>;

/** A finding in one line, not escaped. */
export function findingText(finding: Finding): string {
  const { layer, session, what, since } = finding;
  const whose = session === undefined ? "" : ` session ${session}:`;
  const sound = since === undefined ? "" : ` (sound until ${since})`;
  return `${placeOf(finding)}:${whose} ${what}${sound} [${layer}]`;
}

function explainedText(finding: Explained): string {
  const { time, by, why } = finding.explained;
  return `${findingText(finding)}: acknowledged at ${time} by ${by?.login?.user ?? by?.user ?? "root"}: ${why}`;
}

/**
 * The output of verify.
 * @param isWhole whether acknowledged findings are listed too
 */
export function resultText(
  result: FileCount & {
    files: number;
    findings: readonly Finding[];
    acknowledged: readonly Explained[];
    layers: Readonly<Record<Layer, LayerReport>>;
  },
  isWhole: boolean,
): string {
  const lines = [...(isWhole ? result.acknowledged.map(explainedText) : []), ...result.findings.map(findingText)];
  const { files, records, sessions, running, findings, acknowledged } = result;
  const counted = [plural(records, "record"), plural(sessions, "session"), plural(files, "file")].join(", ");
  const known = acknowledged.length === 0 ? "" : `, ${acknowledged.length} acknowledged`;
  const sum = `${counted}, ${running} running: ${findings.length === 0 ? "nothing found" : plural(findings.length, "finding")}${known}`;
  const layers = LAYERS.map((layer) => `${layer.padEnd(8)} ${result.layers[layer].what}`);
  return [...lines, sum, ...layers].map((line) => `${escapeText(line)}\n`).join("");
}
