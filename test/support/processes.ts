import { readdirSync, readFileSync } from "node:fs";
import { type Pid, toPid } from "../../src/units/ids.ts";

/** The pid of this process, or of a child that has started. */
export const pidOf = ({ pid }: { readonly pid?: number | undefined }): Pid => toPid(Number(pid));

/** The processes whose command line holds a text, zombies left out. */
export function processesWith(text: string): readonly number[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name) && name !== String(process.pid))
    .filter((pid) => {
      try {
        return readFileSync(`/proc/${pid}/cmdline`, "utf8").replaceAll("\0", " ").includes(text);
      } catch {
        return false;
      }
    })
    .map(Number);
}
