import type { Checked, Problem } from "../policy.ts";
import { type Finding, isError, type KeyPath } from "../problem.ts";
import { parseJson } from "./json-source.ts";
import { parseToml } from "./toml-source.ts";

/** A configuration file as text. The ending of its name gives its format. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** The values of a file, or the reason why there are none. */
export type Parsed =
  | { readonly ok: true; readonly data: unknown }
  | { readonly ok: false; readonly line: number | undefined; readonly message: string; readonly fix: string };

/** The 1-based line of a key. An absent key has the line of the nearest table around it. */
export type Locate = (at: KeyPath) => number | undefined;

export const isJson = (path: string): boolean => path.endsWith(".json");

/** Parses text into plain values: strings, numbers, booleans, dates, lists, tables. It never throws. */
export async function parseSource(source: Source): Promise<Parsed> {
  return isJson(source.path) ? parseJson(source.text) : parseToml(source.text);
}

/** Adds lines to findings. The parser that knows lines is loaded only where there are findings. */
export async function placeFindings(source: Source, findings: readonly Finding[]): Promise<readonly Problem[]> {
  if (findings.length === 0) return [];
  const locate = isJson(source.path)
    ? await (await import("./json-lines.ts")).jsonLines(source.text)
    : await (await import("./toml-lines.ts")).tomlLines(source.text);
  return findings
    .map(({ severity, at, message, fix }) => ({ severity, path: source.path, line: locate(at), message, fix }))
    .sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

/** All findings with their lines, and the value where no finding is an error. */
export async function checked<T>(source: Source, findings: readonly Finding[], value: () => T): Promise<Checked<T>> {
  const problems = await placeFindings(source, findings);
  return findings.some(isError) ? { ok: false, problems } : { ok: true, value: value(), problems };
}
