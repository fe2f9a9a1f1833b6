import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./cache.ts";
import type { Suite } from "./debian.ts";
import { children, isAlive, kill, type ProcessId, processId, sleep } from "./processes.ts";

/** The stored state of a guest, so that another run of the tool finds the guest. */
export interface GuestState {
  readonly name: string;
  readonly suite: Suite;
  readonly kernel: Suite;
  readonly manager: Manager;
  /** The unshare(1) process that holds the guest. It has the guest's network namespace, and its child is the kernel. */
  readonly holder: ProcessId;
  /** The process that started the guest and waits until it is ready. */
  readonly starter: ProcessId;
  readonly ready: boolean;
}

/** `scope.manager` of the guest's nixgate.toml. */
export const MANAGERS = ["user", "system"] as const;
export type Manager = (typeof MANAGERS)[number];

const HOLDER_MS = 2_000;

export const runFolder = (name: string): string => cacheFolder("run", name);
/** Where this file is there, the guest's kernel is started again when it ends (guest/launch.sh). */
export const againFile = (name: string): string => join(runFolder(name), "again");
const stateFile = (name: string): string => join(runFolder(name), "guest.json");

export function readState(name: string): GuestState | undefined {
  try {
    return JSON.parse(readFileSync(stateFile(name), "utf8"));
  } catch {
    return undefined; // missing, or truncated by a crash: both count as missing, and the next start clears them
  }
}

export function writeState(state: GuestState): void {
  const path = stateFile(state.name);
  writeFileSync(`${path}.new`, JSON.stringify(state));
  renameSync(`${path}.new`, path);
}

/** The guest of that name, when it is alive and its start was completed. */
export function runningGuest(name: string): GuestState | undefined {
  const state = readState(name);
  return state?.ready && isAlive(state.holder) ? state : undefined;
}

/**
 * Ends a guest and removes its state. The disk is a temporary copy, so the kernel is killed, not shut down. The kernel
 * is the first process of its pid namespace: all others end with it, and the interface ends with the network namespace.
 */
export async function clear(name: string): Promise<void> {
  const state = readState(name);
  if (state && isAlive(state.holder)) {
    const kernels = children(state.holder.pid).flatMap((pid) => processId(pid) ?? []);
    for (const id of kernels) kill(id);
    // The holder waits for its child and ends. If it were killed too, it would leave a zombie to process 1.
    await ended([state.holder], HOLDER_MS);
    kill(state.holder);
    await ended([state.holder, ...kernels]);
  }
  rmSync(runFolder(name), { recursive: true, force: true });
}

async function ended(ids: readonly ProcessId[], milliseconds = Number.POSITIVE_INFINITY): Promise<void> {
  const end = Date.now() + milliseconds;
  while (ids.some(isAlive) && Date.now() < end) await sleep(10);
}

/** Removes the state of all guests that are not alive any more: their tool or their machine was killed. */
export async function clearDead(): Promise<void> {
  const folder = cacheFolder("run");
  if (!existsSync(folder)) return;
  for (const name of readdirSync(folder)) {
    const state = readState(name);
    if (state && isAlive(state.holder) && (state.ready || isAlive(state.starter))) continue;
    if (state === undefined && isFresh(name)) continue;
    await clear(name);
  }
}

/** Whether the guest's state is not written yet because its starter, which claimed the name, is still at work. */
function isFresh(name: string): boolean {
  try {
    const claim = JSON.parse(readFileSync(join(runFolder(name), "claim.json"), "utf8")) as ProcessId;
    return isAlive(claim);
  } catch {
    return false;
  }
}

/**
 * Claims the name for this process, before the guest has a state.
 * @returns false when another process has it
 */
export function claim(name: string, by: ProcessId): boolean {
  const own = join(runFolder(name), `claim.${by.pid}`);
  try {
    mkdirSync(runFolder(name), { recursive: true });
    writeFileSync(own, JSON.stringify(by));
    linkSync(own, join(runFolder(name), "claim.json")); // the link appears complete or not at all
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    if (code === "ENOENT") return claim(name, by); // another run removed the empty folder as a dead guest's
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}
