import { spawn } from "node:child_process";
import { PATH } from "../../scope/environment.ts";

export interface Run {
  readonly environment?: Readonly<Record<string, string>>;
  /** Open files that the program gets as 3, 4, … */
  readonly files?: readonly number[];
  /** Who runs it, where that is somebody else; only root may say so. Other groups are dropped. */
  readonly as?: { readonly uid: number; readonly gid: number } | undefined;
  readonly timeoutMs: number;
}

/**
 * Runs one of the host's own programs, found where only root writes, with nothing on stdin and its words thrown away.
 * @returns its exit status, undefined where it could not be started or did not end by itself in time
 */
export function run(program: string, words: readonly string[], options: Run): Promise<number | undefined> {
  const { environment, files = [], as, timeoutMs } = options;
  return new Promise((resolve) => {
    const child = spawn(program, words, {
      cwd: "/",
      env: { PATH, ...environment },
      stdio: ["ignore", "ignore", "ignore", ...files],
      timeout: timeoutMs,
      killSignal: "SIGKILL",
      ...as,
    });
    child.once("error", () => resolve(undefined));
    child.once("close", (status) => resolve(status ?? undefined));
  });
}
