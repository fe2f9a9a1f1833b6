import type { Checked, HostConfig } from "./policy.ts";
import { errorAt, type PolicyFinding } from "./problem.ts";
import { hostConfig } from "./schema/defaults.ts";
import { HostFile } from "./schema/host-schema.ts";
import { readSource } from "./source/read-source.ts";

/** Reads nixgate.toml, or nixgate.json of the same shape. */
export async function readHostConfig(text: string, path: string): Promise<Checked<HostConfig>> {
  return readSource({ path, text }, HostFile, hostFindings, hostConfig);
}

function hostFindings({ scope }: HostFile): readonly PolicyFinding[] {
  if (scope?.confine !== true || scope.manager === "system") return [];
  const message = "only root's systemd can confine a command";
  return [errorAt(["scope", "confine"], message, 'write manager = "system", or remove it')];
}
