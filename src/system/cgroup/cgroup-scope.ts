import type { Exit, Usage } from "../../ending/ending.ts";
import type { Expectation } from "../../scope/properties.ts";
import type { BoundedBuilds } from "../../session/bounded-builds.ts";
import type { OpenScope } from "../../session/ports.ts";
import type { Pid } from "../../units/ids.ts";
import type { Milliseconds } from "../../units/quantities.ts";
import { clock } from "../kernel/clock.ts";
import { signalAll } from "../kernel/signals.ts";
import { survivorsOf } from "../kernel/survivors.ts";
import { killAllBut, processesOf, readCgroupFile } from "./cgroup.ts";
import { lastUsageOf } from "./last-usage.ts";
import { onLimit, watchLimitEvents } from "./limit-events.ts";

/**
 * A scope with a process that waits to become the command. A holder process, which may be the same, stays until the
 * counters are read.
 */
export interface Held
  extends Pick<
    OpenScope,
    | "openedAt"
    | "begunAt"
    | "pid"
    | "invocation"
    | "isolation"
    | "applied"
    | "appliedToTeam"
    | "begin"
    | "onStop"
    | "endedBy"
  > {
  /** The time from SIGTERM to SIGKILL. */
  readonly stopTimeout: Milliseconds;
  /** The process that `kill` spares until `release`. */
  readonly holder: Pid;
  readonly exited: Promise<Exit>;
  /** Whether nixgate stops the scope when the OOM killer ends one of its processes. */
  readonly stopsOnOom?: boolean;
  /** The builds of the command, where they are in its cgroup as well. */
  readonly builds?: HeldBuilds | undefined;
  /** Releases the holder, once no other process is left. */
  release(folder: string): Promise<void>;
}

/** The builds beside a command. They end when their client has ended. */
export interface HeldBuilds {
  /** The cgroups of the command and of the daemon, which are below the one with the limits. */
  readonly commandFolder: string;
  readonly daemonFolder: string;
  /** Ends the builds and their daemon, after the command. */
  end(): Promise<void>;
  readonly onOutside: BoundedBuilds["onBuildOutside"];
}

/** The operations of a scope that has its own cgroup. */
export function cgroupScope(folder: string, held: Held): OpenScope {
  const others = () => processesOf(folder).filter((pid) => pid !== held.holder);
  const command = untilItEnds(held);
  const { builds } = held;
  const ofCommand = () => (builds ? processesOf(builds.commandFolder).filter((pid) => pid !== held.holder) : others());
  const stop = onFirstOom(() => {
    terminate(others());
    clock.after(held.stopTimeout, () => killAllBut(held.holder, folder));
  });
  const usage = lastUsageOf(folder, {
    parts: builds ? [builds.commandFolder, builds.daemonFolder] : [],
    // Nix tells its client which build the kernel has ended, and the other builds go on
    seen: held.stopsOnOom && !builds ? stop : undefined,
  });
  const limitEvents = watchLimitEvents(folder);
  let released: Promise<void> | undefined;
  return {
    ...held,
    ...(builds && {
      onLimit: (callback) => onLimit(folder, callback),
      onBuildOutside: builds.onOutside,
      endBuilds() {
        usage.look(); // their figures go with their cgroup
        return builds.end();
      },
    }),
    others,
    survivors: () => survivorsOf([...new Set([...others(), ...command()])]),
    terminate: () => {
      usage.look();
      terminate([...new Set([...ofCommand(), ...command()])]);
    },
    kill: () => {
      usage.look();
      killAllBut(held.holder, folder);
      signalAll(command(), "SIGKILL");
    },
    usage: usage.look,
    limitEvents: () => limitEvents(usage.limitCounts()),
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

/**
 * The command's process while it lives. Under its own user manager it can leave the scope, and must be ended there too.
 */
function untilItEnds({ pid, holder, exited }: Held): () => readonly Pid[] {
  let command: readonly Pid[] = pid === holder ? [] : [pid];
  exited.then(() => {
    command = [];
  });
  return () => command;
}

/** The limits of a scope as the files of its cgroup hold them. */
export const appliedIn = (folder: string, expectations: readonly Expectation[]): OpenScope["applied"] =>
  applied(expectations, (file) => readCgroupFile(folder, file));

/** The limits as the kernel holds them. A limit is absent where the kernel has no file for it. */
export function applied(
  expectations: readonly Expectation[],
  read: (file: string) => string | undefined,
): Readonly<Record<string, string>> {
  const found = expectations.map(({ property, file }) => [property, read(file)] as const);
  return Object.fromEntries(found.filter((entry): entry is [string, string] => entry[1] !== undefined));
}

/** A stopped process handles SIGTERM only after it continues, hence SIGCONT, as in systemd.kill(5). */
export function terminate(pids: readonly Pid[]): void {
  signalAll(pids, "SIGTERM");
  signalAll(pids, "SIGCONT");
}
