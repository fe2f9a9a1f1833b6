import { readdirSync, readFileSync } from "node:fs";
import { hostname } from "node:os";
import { type Pid, toPid } from "../../src/units/ids.ts";

/** This host in this boot, as records name it. */
export const HERE = {
  host: hostname(),
  boot: readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim(),
};
/** Above any process's number (proc_sys_kernel(5), pid_max). */
export const NOBODY = 4_194_305;

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
