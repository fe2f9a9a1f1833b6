import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, constants, fstatSync, openSync } from "node:fs";
import type { DayFile } from "../../archive/archive.ts";
import { PATH } from "../../scope/environment.ts";
import { type Fd, toFd } from "../../units/ids.ts";
import { inside, O_PATH } from "../files/safe-folder.ts";
import { withTeam } from "./day-file.ts";

/** By default the kernel breaks a lease after 45 s (proc_sys_fs(5), lease-break-time). This is somewhat longer. */
const LEASE_PATIENCE_MS = 60_000;
/** The maximum number of files that are waited for at one time. */
const MOST_FILES = 32;
/** Opens fd 3 again, without O_NONBLOCK: that waits until the lease is broken. Then it keeps the file open. */
const SCRIPT = "exec 4</proc/self/fd/3 && echo open && read -r _";

/**
 * Reads files that another account holds a lease on (F_SETLEASE, fcntl(2)). Opening such a file with O_NONBLOCK fails.
 * Opening it without O_NONBLOCK waits for the kernel to break the lease. So a separate process opens each file, all at
 * the same time, and keeps it open while `use` reads it: meanwhile no process gets a new lease that keeps readers out.
 * @param use is called for each file as soon as it can be read; it is not called for the others
 */
export async function breakLeases(
  directory: string,
  files: readonly DayFile[],
  use: (file: DayFile) => void,
  patienceMs = LEASE_PATIENCE_MS,
): Promise<void> {
  await Promise.all(
    files.slice(0, MOST_FILES).map(async (file) => {
      const child = opening(directory, file);
      if (child === undefined) return;
      try {
        if (await isOpen(child, patienceMs)) use(file);
      } finally {
        child.kill("SIGKILL");
      }
    }),
  );
}

/** A process that opens the file; undefined where it is no longer a regular file. */
function opening(directory: string, { team, day }: DayFile): ChildProcess | undefined {
  let leaseFd: Fd | undefined;
  try {
    leaseFd = withTeam(directory, team, (folderFd) =>
      toFd(openSync(inside(folderFd, `${day}.jsonl`), O_PATH | constants.O_NOFOLLOW)),
    );
    if (!fstatSync(leaseFd).isFile()) return undefined;
    return spawn("/bin/sh", ["-c", SCRIPT], { cwd: "/", env: { PATH }, stdio: ["pipe", "pipe", "ignore", leaseFd] });
  } catch {
    return undefined;
  } finally {
    if (leaseFd !== undefined) closeSync(leaseFd);
  }
}

function isOpen(child: ChildProcess, patienceMs: number): Promise<boolean> {
  return new Promise((resolve) => {
    const timer = setTimeout(() => resolve(false), patienceMs);
    const answer = (is: boolean) => {
      clearTimeout(timer);
      resolve(is);
    };
    child.stdout?.once("data", () => answer(true));
    child.once("close", () => answer(false));
    child.once("error", () => answer(false));
    child.stdin?.on("error", () => undefined);
  });
}
