import type * as z from "zod/mini";
import { nearest } from "../../units/nearest.ts";
import { errorAt, type KeyPath, type PolicyFinding } from "../problem.ts";

/** Keys that belong to systemd's unit files or sshd's configuration. */
const ELSEWHERE: ReadonlyMap<string, readonly [message: string, fix: string]> = new Map([
  ["team_limits.RuntimeMaxSec", ["a slice has no run time", "move it to [limits], where it bounds each command"]],
  ["MemoryLimit", ["is cgroup v1's name", "write MemoryMax"]],
  ["CPUShares", ["is cgroup v1's name", "write CPUWeight"]],
  ["AllowedCPUs", ["is never delegated to a user manager and not one of nixgate's limits", "remove it"]],
]);

/** The findings of the schema, in the words of the configuration file. */
export function schemaFindings(issues: readonly z.core.$ZodIssue[], schema: z.core.$ZodType): readonly PolicyFinding[] {
  return issues.flatMap((issue): readonly PolicyFinding[] => {
    const at = issue.path.filter((part) => typeof part !== "symbol");
    if (issue.code === "unrecognized_keys") {
      const known = keysAt(schema, at);
      return issue.keys.map((key) => unknownKey([...at, key], key, known));
    }
    const fix: unknown = issue.code === "custom" ? issue.params?.["fix"] : undefined;
    return [errorAt(at, issue.message, typeof fix === "string" ? fix : "see docs/configuration.md")];
  });
}

function unknownKey(at: KeyPath, key: string, known: readonly string[]): PolicyFinding {
  const [message, fix] = ELSEWHERE.get(at.join(".")) ?? ELSEWHERE.get(key) ?? [];
  const near = nearest(key, known);
  return errorAt(
    at,
    message ?? "unknown key",
    fix ?? (near ? `write ${near}` : `remove it; known here: ${known.join(", ")}`),
  );
}

/** The keys that a table of the schema has. The path leads through lists by their index. */
export function keysAt(schema: z.core.$ZodType, at: KeyPath): readonly string[] {
  let here = unwrap(schema);
  for (const part of at) {
    const { def } = here._zod as { def: { shape?: Record<string, z.core.$ZodType>; element?: z.core.$ZodType } };
    const next = typeof part === "number" ? def.element : def.shape?.[part];
    if (!next) return [];
    here = unwrap(next);
  }
  const { def } = here._zod as { def: { shape?: Record<string, z.core.$ZodType> } };
  return Object.keys(def.shape ?? {});
}

/** The schema inside `optional` and `pipe`. */
export function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  const { def } = schema._zod as { def: { innerType?: z.core.$ZodType; out?: z.core.$ZodType } };
  const inner = def.innerType ?? def.out;
  return inner ? unwrap(inner) : schema;
}
