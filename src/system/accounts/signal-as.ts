import { spawnSync } from "node:child_process";
import { PATH } from "../../scope/environment.ts";
import type { Pid } from "../../units/ids.ts";

const TIMEOUT_MS = 10_000;
/** `$1` is the only variable word, and the shell never parses it. */
const SCRIPT = 'kill -s TERM -- "$1"';

/**
 * Sends SIGTERM with the rights of an account. kill(2) then reaches no process of another account, even where the pid
 * was reused: the kernel compares the sender's uid with the process's real and saved uid. A caller other than root has
 * only its own rights.
 * @throws an error with code EPERM where the kernel refused the signal, or the process is gone
 */
export function signalAs(uid: number, pid: Pid): void {
  const own = process.geteuid?.();
  if (own !== 0 || uid === 0) {
    if (own !== 0 && own !== uid) throw refused(pid);
    process.kill(pid, "SIGTERM");
    return;
  }
  const { status } = spawnSync("/bin/sh", ["-c", SCRIPT, "sh", String(pid)], {
    cwd: "/",
    env: { PATH },
    stdio: "ignore",
    timeout: TIMEOUT_MS,
    killSignal: "SIGKILL",
    ...{ uid, gid: uid }, // kill(2) ignores groups; libuv drops all others
  });
  if (status !== 0) throw refused(pid);
}

const refused = (pid: Pid): Error =>
  Object.assign(new Error(`process ${pid} could not be signalled`), { code: "EPERM" });
