import { dirname } from "node:path";
import type { Exit, Usage } from "../../ending/ending.ts";
import type { Plan } from "../../scope/plan.ts";
import type { Expectation } from "../../scope/properties.ts";
import type { OpenScope } from "../../session/ports.ts";
import { clock } from "../kernel/clock.ts";
import { signalAll } from "../kernel/signals.ts";
import { survivorsOf } from "../kernel/survivors.ts";
import { killAllBut, processesOf, readCgroupFile } from "./cgroup.ts";
import { lastUsageOf } from "./last-usage.ts";
import { watchLimitsAround } from "./limit-hits.ts";

/** A scope in which a process waits for its word, and another, or the same, stays until the figures are read. */
export interface Held
  extends Pick<
    OpenScope,
    "openedAt" | "begunAt" | "pid" | "invocation" | "isolation" | "begin" | "onStop" | "endedBy"
  > {
  /** Where they have been read already. */
  readonly appliedToTeam?: Readonly<Record<string, string>>;
  /** The process that is spared until `release`. */
  readonly holder: number;
  readonly exited: Promise<Exit>;
  /** Whether the scope is stopped from here when it loses a process to the OOM killer. */
  readonly stopsOnOom?: boolean;
  /** Lets the holder go, once nothing else is left. */
  release(folder: string): Promise<void>;
}

/** What is known of a scope before it is looked at. */
export type Known = Pick<Held, "openedAt" | "begunAt" | "invocation" | "appliedToTeam">;

/** What the story may do with a scope that has a cgroup of its own. */
export function cgroupScope(plan: Plan, folder: string, held: Held): OpenScope {
  const slice = dirname(folder);
  const others = () => processesOf(folder).filter((pid) => pid !== held.holder);
  const command = untilItEnds(held);
  const stop = onFirstOom(() => {
    terminate(others());
    clock.after(plan.stopTimeout, () => killAllBut(held.holder, folder));
  });
  const usage = lastUsageOf(folder, held.stopsOnOom ? stop : undefined);
  const hits = watchLimitsAround(folder);
  let released: Promise<void> | undefined;
  return {
    ...held,
    applied: applied(plan.expectations, (file) => readCgroupFile(folder, file)),
    appliedToTeam: held.appliedToTeam ?? applied(plan.team.expectations, (file) => readCgroupFile(slice, file)),
    others,
    survivors: () => survivorsOf([...new Set([...others(), ...command()])]),
    terminate: () => {
      usage.look();
      terminate([...new Set([...others(), ...command()])]);
    },
    kill: () => {
      usage.look();
      killAllBut(held.holder, folder);
      signalAll(command(), "SIGKILL");
    },
    usage: usage.look,
    hits: () => hits(usage.limitCounts()),
    release() {
      usage.stop();
      released ??= held.release(folder);
      return released;
    },
  };
}

function onFirstOom(stop: () => void): (usage: Usage) => void {
  let stopped = false;
  return ({ oom_kills: kills = 0 }) => {
    if (kills > 0 && !stopped) stop();
    stopped ||= kills > 0;
  };
}

/** The command's own process while it lives: under its own user manager it can leave the scope, and is ended all the same. */
function untilItEnds({ pid, holder, exited }: Held): () => readonly number[] {
  let command: readonly number[] = pid === holder ? [] : [pid];
  exited.then(() => {
    command = [];
  });
  return () => command;
}

/** The limits as the kernel has them; one that it has no file for is left out. */
export function applied(
  expectations: readonly Expectation[],
  read: (file: string) => string | undefined,
): Readonly<Record<string, string>> {
  const found = expectations.map(({ property, file }) => [property, read(file)] as const);
  return Object.fromEntries(found.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** A stopped process takes SIGTERM only when it goes on, hence SIGCONT, as systemd.kill(5) has it. */
export function terminate(pids: readonly number[]): void {
  signalAll(pids, "SIGTERM");
  signalAll(pids, "SIGCONT");
}
