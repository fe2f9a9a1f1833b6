import fc from "fast-check";
import type { Parser } from "./parser.ts";

/** Gives each parser its part of all cases. @returns what was found, in plain words, with how to see it again */
export async function fuzz(all: readonly Parser[], cases: number, seed: number): Promise<readonly string[]> {
  const shares = all.reduce((sum, { share }) => sum + share, 0);
  const found: string[] = [];
  for (const { name, share, property } of all) {
    const numRuns = Math.max(1, Math.ceil((cases * share) / shares));
    const result = await fc.check(property as fc.IAsyncProperty<unknown>, { numRuns, seed });
    if (!result.failed) continue;
    const given = fc.stringify(result.counterexample);
    found.push(
      `${name}: ${result.errorInstance ?? "failed"}; seed ${seed}, path ${result.counterexamplePath}: ${given}`,
    );
  }
  return found;
}
