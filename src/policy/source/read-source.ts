import * as z from "zod/mini";
import type { Checked } from "../policy.ts";
import type { KeyPath, PolicyFinding } from "../problem.ts";
import { schemaFindings } from "../schema/schema-findings.ts";
import { checked, parseSource, placeFindings, type Source } from "./source.ts";

/** Text → values → schema → rules → result. Both kinds of file take the same steps. */
export async function readSource<File, T>(
  source: Source,
  schema: z.ZodMiniType<File>,
  rules: (file: File) => readonly PolicyFinding[],
  result: (file: File) => T,
): Promise<Checked<T>> {
  const parsed = await parseSource(source);
  if (!parsed.ok) {
    const { line, message, fix } = parsed;
    return { ok: false, problems: [{ severity: "error", path: source.path, line, message, fix }] };
  }
  const file = z.safeParse(schema, parsed.data);
  if (file.success) return checked(source, rules(file.data), () => result(file.data));
  const findings = schemaFindings(file.error.issues, schema);
  const rest = z.safeParse(schema, without(parsed.data, findings));
  const more = rest.success ? unrelated(rules(rest.data), findings) : [];
  return { ok: false, problems: await placeFindings(source, [...findings, ...more]) };
}

/** The values without the wrong ones, so that the rules can check the others in the same run. */
function without(data: unknown, findings: readonly PolicyFinding[]): unknown {
  const rest: unknown = structuredClone(data);
  for (const { at } of findings) {
    // a list with a wrong entry is removed as a whole, so that entries of other lists keep their index
    const key = at.slice(0, at.findLastIndex((part) => typeof part === "string") + 1);
    let parent = rest as Record<string | number, unknown> | undefined;
    for (const part of key.slice(0, -1)) parent = parent?.[part] as Record<string | number, unknown> | undefined;
    const last = key.at(-1);
    if (parent && last !== undefined) delete parent[last];
  }
  return rest;
}

/** The findings of the rules in parts without a wrong value. In the other parts the rules lack a value to check. */
function unrelated(more: readonly PolicyFinding[], wrong: readonly PolicyFinding[]): readonly PolicyFinding[] {
  const parts = new Set(wrong.map(({ at }) => partOf(at)));
  return more.filter(({ at }) => !parts.has(partOf(at)));
}

/**
 * The part of a key. The limits of a command and of its team are one part, because they are compared. Each entry of a
 * list is a part of its own.
 */
function partOf([first, second]: KeyPath): string {
  const name = first === "team_limits" ? "limits" : String(first);
  return typeof second === "number" ? `${name}[${second}]` : name;
}
