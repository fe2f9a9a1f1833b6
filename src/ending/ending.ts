import type { Milliseconds } from "../units/quantities.ts";
import type { LimitHits } from "./limit-hits.ts";

/** Why a command or a session ended; the words of the record's `cause`. */
export type Cause =
  | "exit"
  | "signal"
  | "oom"
  | "tasks-limit"
  | "timeout"
  | "client-gone"
  | "supervisor-lost"
  | "killed-by-admin"
  | "scope-failed"
  | "exec-failed"
  | "internal";

/** How a process ended, as waitpid(2) told it. */
export type Exit =
  | {
      readonly code: number;
      readonly signal?: never;
      /** Why the program was never executed, beginning with its path: the status is then not the command's own. */
      readonly notExecuted?: string;
    }
  | { readonly signal: NodeJS.Signals; readonly code?: never; readonly notExecuted?: never };

/** The kernel's figures of a scope. A figure that the kernel does not offer is absent, never 0. */
export interface Usage {
  /** cpu.stat usage_usec, in milliseconds. */
  readonly cpu_ms?: number;
  /** cpu.stat throttled_usec, in milliseconds. */
  readonly cpu_throttled_ms?: number;
  /** memory.peak (Linux ≥ 5.19). */
  readonly memory_peak_bytes?: number;
  /** pids.peak (Linux ≥ 6.1). */
  readonly tasks_peak?: number;
  /** memory.events oom_kill. */
  readonly oom_kills?: number;
  /** pids.events max: forks that the limit refused. */
  readonly tasks_refused?: number;
  /** io.stat rbytes, over all devices. */
  readonly io_read_bytes?: number;
  /** io.stat wbytes, over all devices. */
  readonly io_write_bytes?: number;
}

/** What it took to end a command. */
export type Forced = "SIGTERM" | "SIGKILL";

/** Why nixgate itself stopped a command, where it did. */
export type StopReason = "timeout" | "client-gone" | "killed-by-admin";

/** A process that SIGKILL did not end in time. */
export interface Survivor {
  readonly pid: number;
  /** Its owner; undefined where /proc does not show it. */
  readonly uid: number | undefined;
  /** As the kernel has it (comm of proc(5)): any bytes; undefined where /proc does not show it. */
  readonly name: string | undefined;
}

/** Who ended a command that did not end by itself: nixgate, systemd at its own limits, or somebody's signal to all of its scope. */
export type EndedBy = StopReason | "oom" | "signal";

/** How a command ended: what the record's `command.end` and the session's exit status are made of. */
export interface Ending {
  readonly cause: Cause;
  /** Undefined where the command itself could not be ended. */
  readonly exit: Exit | undefined;
  /** The signal that it took where it was ended and did not end by itself. */
  readonly forced: Forced | undefined;
  readonly wallMs: Milliseconds;
  readonly usage: Usage;
  readonly hits: LimitHits;
  /** Processes that were still there when the command had ended, and were ended then. */
  readonly leftovers: number | undefined;
  /** Processes that could not be ended. */
  readonly survivors: readonly Survivor[];
}
