import { existsSync, linkSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { cacheFolder } from "./cache.ts";
import type { Suite } from "./debian.ts";
import { children, isAlive, kill, type ProcessId, processId, sleep } from "./processes.ts";

/** What is written down about a guest, so that another run of the tool finds it. */
export interface GuestState {
  readonly name: string;
  readonly suite: Suite;
  readonly kernel: Suite;
  readonly manager: Manager;
  /** The unshare(1) that holds the guest: its network namespace is the guest's, its child is the kernel. */
  readonly holder: ProcessId;
  /** Who started it, and waits until it is ready. */
  readonly starter: ProcessId;
  readonly ready: boolean;
}

/** `scope.manager` of the guest's nixgate.toml. */
export const MANAGERS = ["user", "system"] as const;
export type Manager = (typeof MANAGERS)[number];

const HOLDER_MS = 2_000;

export const runFolder = (name: string): string => cacheFolder("run", name);
const stateFile = (name: string): string => join(runFolder(name), "guest.json");

export function readState(name: string): GuestState | undefined {
  try {
    return JSON.parse(readFileSync(stateFile(name), "utf8"));
  } catch {
    return undefined; // none, or torn by a crash: the same as none, and cleared by the next start
  }
}

export function writeState(state: GuestState): void {
  const path = stateFile(state.name);
  writeFileSync(`${path}.new`, JSON.stringify(state));
  renameSync(`${path}.new`, path);
}

/** The guest of that name when it lives and was started to its end. */
export function runningGuest(name: string): GuestState | undefined {
  const state = readState(name);
  return state?.ready && isAlive(state.holder) ? state : undefined;
}

/**
 * Ends a guest and removes what was written for it. The disk is a throw-away copy, so the kernel is killed, not shut
 * down; with the first process of its pid namespace all others go, and the interface with the network namespace.
 */
export async function clear(name: string): Promise<void> {
  const state = readState(name);
  if (state && isAlive(state.holder)) {
    const kernels = children(state.holder.pid).flatMap((pid) => processId(pid) ?? []);
    for (const id of kernels) kill(id);
    // The holder asks for its child's status and ends; killed along with it, it would leave a zombie to process 1.
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

/** Removes what guests left that no longer live, whatever their names: their tool or their machine was killed. */
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

/** Whether the folder's guest has not been written down yet because its starter, who claimed the name, is at work. */
function isFresh(name: string): boolean {
  try {
    const claim = JSON.parse(readFileSync(join(runFolder(name), "claim.json"), "utf8")) as ProcessId;
    return isAlive(claim);
  } catch {
    return false;
  }
}

/** Takes the name for this process, before there is a guest to write down. @returns false when another has it */
export function claim(name: string, by: ProcessId): boolean {
  const own = join(runFolder(name), `claim.${by.pid}`);
  try {
    mkdirSync(runFolder(name), { recursive: true });
    writeFileSync(own, JSON.stringify(by));
    linkSync(own, join(runFolder(name), "claim.json")); // appears whole or not at all
    return true;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "EEXIST") return false;
    if (code === "ENOENT") return claim(name, by); // another run took the empty folder for a dead guest's
    throw error;
  } finally {
    rmSync(own, { force: true });
  }
}
