import { hostConfig } from "./defaults.ts";
import { HostFile } from "./host-schema.ts";
import type { Checked, HostConfig } from "./policy.ts";
import { readSource } from "./read-source.ts";

/** Reads nixgate.toml, or nixgate.json of the same shape. */
export async function readHostConfig(text: string, path: string): Promise<Checked<HostConfig>> {
  return readSource({ path, text }, HostFile, () => [], hostConfig);
}
