import type { Checked, Problem } from "../policy.ts";
import { isError, type PolicyFinding } from "../problem.ts";
import { parseJson } from "./json-source.ts";
import type { Parsed } from "./parsed.ts";
import { parseToml } from "./toml-source.ts";

/** A configuration file as text. The ending of its name gives its format. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

export const isJson = (path: string): boolean => path.endsWith(".json");

/** Parses text into plain values: strings, numbers, booleans, dates, lists, tables. It never throws. */
export async function parseSource(source: Source): Promise<Parsed> {
  return isJson(source.path) ? parseJson(source.text) : parseToml(source.text);
}

/** Adds lines to findings. The parser that knows lines is loaded only where there are findings. */
export async function placeFindings(source: Source, findings: readonly PolicyFinding[]): Promise<readonly Problem[]> {
  if (findings.length === 0) return [];
  const locate = isJson(source.path)
    ? await (await import("./json-lines.ts")).jsonLines(source.text)
    : await (await import("./toml-lines.ts")).tomlLines(source.text);
  return findings
    .map(({ severity, at, message, fix }) => ({ severity, path: source.path, line: locate(at), message, fix }))
    .sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

/** All findings with their lines, and the value where no finding is an error. */
export async function checked<T>(
  source: Source,
  findings: readonly PolicyFinding[],
  value: () => T,
): Promise<Checked<T>> {
  const problems = await placeFindings(source, findings);
  return findings.some(isError) ? { ok: false, problems } : { ok: true, value: value(), problems };
}
