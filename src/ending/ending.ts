import type { Pid } from "../units/ids.ts";
import type { Milliseconds } from "../units/quantities.ts";
import type { LimitEvents } from "./limit-events.ts";

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

/** The end of a process, from waitpid(2). */
export type Exit =
  | {
      readonly code: number;
      readonly signal?: never;
      /**
       * Why the program was never executed; the text begins with its path. The status is then not the command's own.
       */
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

/** The signal that ended a command. */
export type Forced = "SIGTERM" | "SIGKILL";

/** Why nixgate itself stopped a command. */
export type StopReason = "timeout" | "client-gone" | "killed-by-admin" | "scope-failed";

/** A process that SIGKILL did not end in time. */
export interface Survivor {
  readonly pid: Pid;
  /** The process's owner; undefined where /proc does not show it. */
  readonly uid: number | undefined;
  /**
   * The process's name in the kernel (comm of proc(5)), which can hold any bytes; undefined where /proc does not show
   * it.
   */
  readonly name: string | undefined;
}

/** The cause of an end from outside: nixgate, systemd at its own limits, or a signal to the whole scope. */
export type EndedBy = StopReason | "oom" | "signal";

/** The end of a command. The record's `command.end` and the session's exit status derive from it. */
export interface Ending {
  readonly cause: Cause;
  /** Undefined where the command itself could not be ended. */
  readonly exit: Exit | undefined;
  /** The signal that ended the command; undefined where the command ended by itself. */
  readonly forced: Forced | undefined;
  readonly wallMs: Milliseconds;
  readonly usage: Usage;
  readonly limitEvents: LimitEvents;
  /** Processes that remained when the command had ended; nixgate then ended them. */
  readonly leftovers: number | undefined;
  /** Processes that could not be ended. */
  readonly survivors: readonly Survivor[];
}
