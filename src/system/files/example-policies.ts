import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";

/** The package's example policies: their texts by name, in the order of the names. */
export function examplePolicies(folder: string): ReadonlyMap<string, string> {
  const files = readdirSync(folder).filter((name) => name.endsWith(".toml"));
  return new Map(
    files.sort().map((name) => [name.slice(0, -".toml".length), readFileSync(join(folder, name), "utf8")]),
  );
}
