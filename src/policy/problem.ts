import { escapeText } from "../units/text.ts";
import type { Problem } from "./policy.ts";

/** The position of a value in a configuration file: `["allow", 0, "stores"]`. */
export type KeyPath = readonly (string | number)[];

/** A problem without its line. Most files have no problem, and the line needs a second parser. */
export interface PolicyFinding {
  readonly severity: "error" | "warning";
  readonly at: KeyPath;
  readonly message: string;
  /** The remedy, as an imperative sentence without its full stop. */
  readonly fix: string;
}

export const isError = (one: { readonly severity: "error" | "warning" }): boolean => one.severity === "error";

/** An error at a key, which the message names first: `limits.MemoryMax: "2 G" has a space`. */
export function errorAt(at: KeyPath, message: string, fix: string): PolicyFinding {
  return { severity: "error", at, message: `${formatKeyPath(at)}: ${message}`, fix };
}

/** A warning at a key; it causes no refusal. */
export const warningAt = (at: KeyPath, message: string, fix: string): PolicyFinding => ({
  ...errorAt(at, message, fix),
  severity: "warning",
});

/** A key in the usual notation: `allow[0].stores`, `environment."odd key"`. */
export function formatKeyPath(at: KeyPath): string {
  return at
    .map((part, index) => {
      if (typeof part === "number") return `[${part}]`;
      const name = /^[\w-]+$/.test(part) ? part : JSON.stringify(escapeText(part.slice(0, 60)));
      return index === 0 ? name : `.${name}`;
    })
    .join("");
}

/**
 * `path:line: message`, the form of compilers that editors follow, with the fix below it. There is no newline at the
 * end.
 */
export function formatProblem(problem: Problem): string {
  const location = problem.line === undefined ? problem.path : `${problem.path}:${problem.line}`;
  const severity = problem.severity === "warning" ? "warning: " : "";
  return `${escapeText(location)}: ${severity}${escapeText(problem.message)}\n    fix: ${escapeText(problem.fix)}`;
}
