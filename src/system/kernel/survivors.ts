import type { Survivor } from "../../ending/ending.ts";
import type { Pid } from "../../units/ids.ts";
import { readKernelFile } from "./kernel-files.ts";
import { exists } from "./process-kind.ts";

/**
 * The facts in /proc about processes that could not be ended. Processes that have ended meanwhile, and zombies, are
 * left out.
 */
export function survivorsOf(pids: readonly Pid[]): readonly Survivor[] {
  return pids.flatMap((pid) => {
    const status = readKernelFile(`/proc/${pid}/status`);
    if (status === undefined) return exists(pid) ? [{ pid, uid: undefined, name: undefined }] : [];
    const field = (name: string) => new RegExp(`(?:^|\\n)${name}:\\t([^\\n]*)`).exec(status)?.[1];
    if (/^[ZX]/.test(field("State") ?? "")) return [];
    const uid = /^\d+/.exec(field("Uid") ?? "")?.[0];
    return [{ pid, uid: uid === undefined ? undefined : Number(uid), name: field("Name") }];
  });
}
