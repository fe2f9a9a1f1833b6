import type { Checked, Problem } from "../policy.ts";
import { type Finding, isError, type KeyPath } from "../problem.ts";
import { parseJson } from "./json-source.ts";
import { parseToml } from "./toml-source.ts";

/** A configuration file as text. Its format is told by the name's ending. */
export interface Source {
  readonly path: string;
  readonly text: string;
}

/** The values of a file, or why there are none. */
export type Parsed =
  | { readonly ok: true; readonly data: unknown }
  | { readonly ok: false; readonly line: number | undefined; readonly message: string; readonly fix: string };

/** The 1-based line of a key; of the nearest table around it where the key itself is absent. */
export type Locate = (at: KeyPath) => number | undefined;

export const isJson = (path: string): boolean => path.endsWith(".json");

/** Turns text into plain values: strings, numbers, booleans, dates, lists, tables. Never throws. */
export async function parseSource(source: Source): Promise<Parsed> {
  return isJson(source.path) ? parseJson(source.text) : parseToml(source.text);
}

/** Gives findings their lines. A parser that knows lines is loaded only when there is something to look up. */
export async function placeFindings(source: Source, findings: readonly Finding[]): Promise<readonly Problem[]> {
  if (findings.length === 0) return [];
  const locate = isJson(source.path)
    ? await (await import("./json-lines.ts")).jsonLines(source.text)
    : await (await import("./toml-lines.ts")).tomlLines(source.text);
  return findings
    .map(({ severity, at, message, fix }) => ({ severity, path: source.path, line: locate(at), message, fix }))
    .sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
}

/** The value where no finding is an error, always with every finding in its line. */
export async function checked<T>(source: Source, findings: readonly Finding[], value: () => T): Promise<Checked<T>> {
  const problems = await placeFindings(source, findings);
  return findings.some(isError) ? { ok: false, problems } : { ok: true, value: value(), problems };
}
