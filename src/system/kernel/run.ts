import { spawn } from "node:child_process";
import { PATH } from "../../scope/environment.ts";
import type { Fd } from "../../units/ids.ts";

export interface RunOptions {
  readonly environment?: Readonly<Record<string, string>>;
  /** Open files that the program gets as fds 3, 4, … */
  readonly files?: readonly Fd[];
  /**
   * The account that runs the program, where it is not the caller's. Only root may set it. Other groups are dropped.
   */
  readonly as?: { readonly uid: number; readonly gid: number } | undefined;
  readonly timeoutMs: number;
}

/**
 * Runs one of the host's own programs from a folder that only root can write to. Its stdin is empty and its output is
 * discarded.
 * @returns its exit status, undefined where it could not be started or did not end by itself in time
 */
export function runProgram(
  program: string,
  words: readonly string[],
  options: RunOptions,
): Promise<number | undefined> {
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
