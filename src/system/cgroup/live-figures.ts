import { availableParallelism, loadavg } from "node:os";
import { dirname } from "node:path";
import { mem } from "systeminformation";
import { LIVE_FILES, type LiveFigures, type LiveFile, liveFiguresFrom, present } from "../../ending/live-figures.ts";
import type { Pid } from "../../units/ids.ts";
import { processesOfSession, resourceLimit } from "../kernel/process-group.ts";
import { cgroupOf, readCgroupFile } from "./cgroup.ts";

/** The figures of the whole machine. */
export async function hostFigures() {
  const { total, available } = await mem();
  return {
    /** The averages of 1, 5 and 15 minutes (proc_loadavg(5)). */
    load: loadavg(),
    cpus: availableParallelism(),
    memory_total_bytes: total,
    /** The memory that a new program could use without swapping (MemAvailable of proc_meminfo(5)). */
    memory_available_bytes: available,
  };
}

/** A running command, as its command.start record names it. */
export interface MeasuredCommand {
  readonly pid: Pid;
  /** Its scope; undefined where it runs without systemd. */
  readonly unit: string | undefined;
  /** Whether its builds share its limits: then the figures are those of the slice around both. */
  readonly boundsBuilds?: boolean;
}

/**
 * The current usage of a command. With a scope the figures are its cgroup's, read without systemd. Without one they are
 * the sum over the processes of its session (setsid(2)), as pidusage finds them. Ended processes are not included.
 * @returns undefined where the command is gone, or hidden from this account
 */
export async function liveFigures({
  pid,
  unit,
  boundsBuilds = false,
}: MeasuredCommand): Promise<LiveFigures | undefined> {
  const own = cgroupOf(pid);
  if (unit === undefined) return ofProcesses(pid);
  if (!own?.endsWith(`/${unit}`)) return undefined; // the pid now belongs to another process
  const folder = boundsBuilds ? dirname(own) : own;
  const texts = LIVE_FILES.map((file) => [file, readCgroupFile(folder, file)]);
  return liveFiguresFrom(Object.fromEntries(texts) as Record<LiveFile, string | undefined>);
}

async function ofProcesses(session: Pid): Promise<LiveFigures | undefined> {
  const pids = processesOfSession(session);
  if (pids.length === 0) return undefined;
  const usages = Object.values(await usageOf(pids)).filter((usage) => usage !== undefined && usage !== null);
  const limit = (row: string) => {
    const text = resourceLimit(session, row);
    return text === undefined || !/^\d+$/.test(text) ? undefined : Number(text);
  };
  return present({
    cpu_ms: usages.reduce((sum, { ctime }) => sum + ctime, 0),
    memory_bytes: usages.reduce((sum, { memory }) => sum + memory, 0),
    memory_max_bytes: limit("Max data size"),
    tasks: usages.length,
    tasks_max: limit("Max processes"),
  });
}

interface PidUsage {
  /** CPU time, user and system, in milliseconds. */
  readonly ctime: number;
  /** Resident, in bytes. */
  readonly memory: number;
}

/** pidusage 4.1 reads /proc/PID/stat. It returns milliseconds and bytes, and nothing for a process that is gone. */
async function usageOf(pids: readonly Pid[]): Promise<Readonly<Record<string, PidUsage | undefined>>> {
  // @ts-expect-error the package has no types
  const { default: pidusage } = await import("pidusage");
  return pidusage([...pids]).catch(() => ({})); // all of them have ended meanwhile
}
