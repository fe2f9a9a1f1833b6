import { basename } from "node:path";
import { readKernelFile } from "../../system/kernel/kernel-files.ts";
import { allProcesses, startTicks } from "../../system/kernel/process-group.ts";
import { cgroupIn } from "../../system/kernel/process-texts.ts";
import { type Pid, toPid } from "../../units/ids.ts";
import type { Milliseconds } from "../../units/quantities.ts";
import { kinOf } from "../connection.ts";
import { poll } from "../poll.ts";

/** How often all of /proc is looked at while commands with builds run. */
const LOOK_MS = 2000 as Milliseconds;

/** A process, as far as it can be a build or build for somebody. */
export interface SeenProcess {
  readonly pid: Pid;
  readonly parent: Pid;
  /** As /proc/PID/cgroup has it. */
  readonly cgroup: string;
  /** The process that a worker of a Nix daemon works for; undefined for every other process. */
  readonly client: Pid | undefined;
}

/** Finds builds that a command of a session has begun and that are not in the command's slice. */
export interface OutsideBuilds {
  /**
   * @param slice the cgroup of the command with its builds, as /proc/PID/cgroup has it
   * @param found told once
   * @returns ends the watch
   */
  watch(slice: string, found: () => void): () => void;
}

/** @param warn told what was found */
export function outsideBuilds(warn: (message: string, facts: object) => void): OutsideBuilds {
  const watches = new Map<string, () => void>();
  let stop = () => {};
  const look = () => {
    const seen = processes();
    for (const [slice, found] of watches) {
      const outside = buildsOutside(slice, seen);
      if (outside.length === 0) continue;
      watches.delete(slice);
      warn("a build was outside of its session's limits, and the session is ended", { slice, outside });
      found();
    }
    if (watches.size === 0) stop();
  };
  return {
    watch(slice, found) {
      if (watches.size === 0) stop = poll(LOOK_MS, look);
      watches.set(slice, found);
      return () => {
        watches.delete(slice);
        if (watches.size === 0) stop();
      };
    },
  };
}

/**
 * The processes outside of a slice that a process in it has started, or that build for one in it: a worker of another
 * daemon has the number of its client as its first argument (Nix 2.3 to 2.35).
 */
export function buildsOutside(
  slice: string,
  seen: readonly SeenProcess[],
): readonly Pick<SeenProcess, "pid" | "cgroup">[] {
  const isIn = (cgroup: string) => cgroup === slice || cgroup.startsWith(`${slice}/`);
  const inside = new Set(seen.filter(({ cgroup }) => isIn(cgroup)).map(({ pid }) => pid));
  return seen
    .filter(
      ({ pid, parent, client }) =>
        !inside.has(pid) && (inside.has(parent) || (client !== undefined && inside.has(client))),
    )
    .map(({ pid, cgroup }) => ({ pid, cgroup }));
}

function processes(): readonly SeenProcess[] {
  return allProcesses().flatMap((pid) => {
    const kin = kinOf(pid);
    const cgroup = cgroupIn(readKernelFile(`/proc/${pid}/cgroup`) ?? "");
    if (!kin || cgroup === undefined) return []; // it ended in this moment
    // the command line of an account's process may lie in a file that never answers; only root's is read
    const isRoots = kin.uids.every((uid) => uid === 0);
    return [{ pid, parent: kin.parent, cgroup, client: isRoots ? clientOfWorker(pid) : undefined }];
  });
}

/**
 * The worker keeps the number of a client that has ended and left its connection to another process. Another team could
 * then wait until a command gets that number. A process that is younger than the worker is not its client.
 */
export function clientOfWorker(pid: Pid, startOf: (pid: Pid) => number | undefined = startTicks): Pid | undefined {
  const [program = "", word = ""] = (readKernelFile(`/proc/${pid}/cmdline`) ?? "").split("\0");
  if (basename(program) !== "nix-daemon" || !/^\d+$/.test(word)) return undefined;
  const client = toPid(Number(word));
  const [worker, began] = [startOf(pid), startOf(client)];
  return worker !== undefined && began !== undefined && began <= worker ? client : undefined;
}
