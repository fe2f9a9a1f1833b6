import type { HostState } from "../decision/admit.ts";
import type { HostRoom } from "../decision/host-room.ts";
import type { EndedBy, Exit, Survivor, Usage } from "../ending/ending.ts";
import type { LimitEvents } from "../ending/limit-events.ts";
import type { HostConfig, LeastFree, RefusalBudget } from "../policy/policy.ts";
import type { SessionRecord } from "../record/schema.ts";
import type { Plan } from "../scope/plan.ts";
import type { Pid, SessionId, TeamName } from "../units/ids.ts";
import type { Milliseconds } from "../units/quantities.ts";
import type { BoundedBuilds } from "./bounded-builds.ts";

/** The operations that a session needs of the system. src/system implements them and main passes them in. */
export interface SessionPorts {
  readonly clock: Clock;
  /** @param at the session's arrival in milliseconds since 1970, so that its id and its day file have the same date */
  readonly newSessionId: (at: number) => SessionId;
  readonly admission: Admission;
  readonly requests: Requests;
  readonly programs: Programs;
  readonly scopes: Scopes;
  readonly client: Client;
  readonly records: Records;
  readonly recovery: Recovery;
  /**
   * Ends the account's processes outside of its sessions, after the session's last command. Absent where nixgate is not
   * root, because only root can find them.
   * @returns how many were ended during the session and at its end; undefined where it ran no command
   */
  readonly strays?: () => Promise<number | undefined>;
}

export interface Clock {
  /** Milliseconds since 1970, for the times in records. */
  now(): number;
  /** Milliseconds of a clock that cannot be set, for durations. */
  monotonic(): number;
  /** Calls back once after `delay`. The returned function cancels the call. */
  after(delay: Milliseconds, callback: () => void): () => void;
}

/** The counts over all sessions, and the state of the host. */
export interface Admission extends HostRoom {
  /**
   * Takes one slot of a name. The slot is free again when it is given back or this process ends for any reason.
   * @param most the number of slots
   * @returns undefined where all are taken
   * @throws AdmissionUnavailable
   */
  takeSlot(name: string, most: number): Promise<Slot | undefined>;
  /**
   * Adds a session start to the list of this minute, unless the list already has `most` entries.
   * @returns the list, in its order
   * @throws AdmissionUnavailable
   */
  countStart(name: string, session: SessionId, most: number): readonly string[];
  hostState(): HostState;
  /** Whether the log has room for the team; absent where nothing checks that. */
  readonly logRoom?: LogRoom;
}

/** @returns false where the log's file system has less than `least` available and this team wrote the most today */
export type LogRoom = (directory: string, team: string, at: number, least: LeastFree) => boolean;

export interface Slot {
  giveBack(): void;
}

/** The input of the line loop. It never reads a byte past the end of a line. */
export interface Requests {
  /** @throws ScopeUnavailable where the process that reads the line cannot be given its limits */
  next(bounds: LineBounds): Promise<NextLine>;
}

export interface LineBounds {
  readonly maxBytes: number;
  readonly timeout: Milliseconds;
  /** A line for stderr after a second without input: then the client is a person who waits for a prompt. */
  readonly greeting?: string;
}

/** `bytes` are the received bytes without the line's end. */
export interface NextLine {
  /** `end`: the stream ended; with bytes, within a line. `killed`: a signal ended the process that reads the line. */
  readonly kind: "line" | "end" | "too-long" | "timeout" | "killed";
  readonly bytes: Uint8Array;
}

export type Interruption = "client-gone" | "killed-by-admin";

export interface Client {
  /** Writes one line to the client's stderr. Never throws: the client may be gone. */
  tell(line: string): void;
  /**
   * Like `tell`, but never waits, so it works while a command runs: the line is written at once or dropped. Never
   * throws.
   * @returns whether the line is on its way to the client
   */
  tellNow(line: string): boolean;
  /** Writes the answer to `echo started`. nixgate itself writes nothing else on stdout. */
  answerStarted(): void;
  /**
   * Calls back when the client is lost or the administrator ends the session, at once where that has already happened.
   * It may call more than once. The returned function stops watching.
   */
  watch(callback: (event: Interruption) => void): () => void;
  /** The longest delay with which `watch` reports a lost client. */
  readonly latency: Milliseconds;
  /** Whether nobody reads stdout any more, or sshd itself has ended. */
  isGone(): boolean;
}

/** Facts about a program before it is executed. */
export interface Programs {
  /** The reason why the account certainly cannot execute the program; undefined where none is known. */
  problemWith(path: string): ProgramProblem | undefined;
}

export interface ProgramProblem {
  /** A text that continues the program's path. */
  readonly message: string;
  /** The remedy, as an imperative sentence without its full stop. */
  readonly fix: string;
  /** Set where the host could not look at the program at that moment: nothing is known of the program itself. */
  readonly temporary?: true;
}

export interface Scopes {
  /**
   * Makes the scope with the holder in it. The command has not started yet.
   * @throws ScopeUnavailable where no scope can be made
   */
  open(plan: Plan): Promise<OpenScope>;
}

export interface OpenScope extends Partial<BoundedBuilds> {
  /** When the making of the scope began, in milliseconds of `Clock.monotonic`. */
  readonly openedAt: number;
  /** When the command began, by the same clock. Set only where an earlier supervisor started the command. */
  readonly begunAt?: number;
  /** The process that becomes the command. */
  readonly pid: Pid;
  /** systemd's invocation id, 32 hex digits, where a unit stands behind the scope. */
  readonly invocation: string | undefined;
  /**
   * Whether the scope is a cgroup of its own. Without one the limits are rlimits, which hold for each process
   * separately.
   */
  readonly isolation: Isolation;
  /** The limits as the kernel holds them, by property. A limit is absent where the kernel has no file for it. */
  readonly applied: Readonly<Record<string, string>>;
  /** The same for the team's slice; undefined where there is none. */
  readonly appliedToTeam: Readonly<Record<string, string>> | undefined;
  /** Starts the command. */
  begin(): void;
  /** Settles when the command has ended. Processes that it started may still run. */
  readonly exited: Promise<Exit>;
  /**
   * Calls back when systemd begins to stop the scope on request: systemctl stop, a shutdown. The returned function
   * stops that. Absent where systemd has to be polled for this.
   */
  readonly onStop?: ((callback: () => void) => () => void) | undefined;
  /** The cause from outside that ended the command, known once it has ended; undefined where no such cause is known. */
  readonly endedBy?: ((exit: Exit) => Promise<EndedBy | undefined>) | undefined;
  /** The processes in the scope besides the holder. */
  others(): readonly Pid[];
  /** The remaining processes of the command and its descendants, as the administrator sees them. */
  survivors(): readonly Survivor[];
  /** Sends SIGTERM, and SIGCONT so that a stopped process receives it. */
  terminate(): void;
  /** Sends SIGKILL to every process but the holder, including processes that are being forked. */
  kill(): void;
  /** The kernel's counters now; the last values seen, where systemd has already removed the scope. */
  usage(): Usage;
  /** The limits that were hit from the making of this scope to the last `usage`: its own limits and shared ones. */
  limitEvents(): LimitEvents;
  /**
   * Ends the holder, all remaining processes and the scope. Repeated calls are harmless. Settles when the holder is
   * gone.
   */
  release(): Promise<void>;
}

export type Isolation = "scope-user" | "scope-system" | "process";

/** The destination of records. The session passes whole lines; this port opens and writes files safely. */
export interface Records {
  /**
   * Opens the team's file of the day.
   * @param start of the session, milliseconds since 1970: its UTC day names the file
   * @throws RecordError E_LOG_CREATE (status 73)
   */
  open(directory: string, team: string, start: number): RecordFile;
  /** Sends a copy to the journal without waiting; never fails the session. */
  copyToJournal(record: SessionRecord, line: string): void;
  /** Sends the journal a message for the administrator that is in no record; never fails the session. */
  tellJournal(session: SessionId, team: string, message: string): void;
  /**
   * Retries the last records of an ended session until the disk has room. Absent in a process that ends with its
   * session: then `nixgate recover` restores them from the journal.
   */
  later?(late: LateRecords): void;
  /** Waits for pending writes, for a bounded time. */
  flush(): Promise<number>;
  /** The cost of a team's refusals today; absent where nothing counts it. */
  readonly refusals?: Refusals;
}

/** Counts the cost of a team's recorded refusals on one day (UTC), and the number of unrecorded ones. */
export interface Refusals {
  /** @param at milliseconds since 1970 */
  isSpent(directory: string, team: string, at: number, budget: RefusalBudget): boolean;
  spend(directory: string, team: string, at: number, cost: RefusalBudget): void;
  /**
   * Counts a refused session that is one of a flood. One of them a minute is recorded.
   * @returns undefined where this one is only counted; otherwise the number counted before it, for its record
   */
  hold(directory: string, team: string, at: number): number | undefined;
  /** The number of counted but unrecorded refusals, for a record that is made anyway; 0 within that minute. */
  claim(directory: string, team: string, at: number): number;
}

/** Whole lines in the order of their chain, for the file of the day of the session's arrival. */
export interface LateRecords {
  readonly directory: string;
  readonly team: string;
  readonly start: number;
  readonly session: SessionId;
  readonly lines: readonly string[];
}

export interface RecordFile {
  /**
   * Appends one line in one write(2).
   * @returns for a durable line that a thread syncs, a promise that settles when it is on disk, or rejects as this
   * throws
   * @throws RecordError E_LOG_WRITE (status 74)
   */
  append(line: string, options: { readonly durable: boolean }): Promise<void> | undefined;
  /** Closes the file after all pending writes. */
  close(): void;
}

/** Ends the records of the team's sessions whose supervisor died. It never fails the session that calls it. */
export interface Recovery {
  /** Starts the recovery at a time when no client waits for this process. Repeated calls are harmless. */
  begin(log: HostConfig["log"], team: TeamName): void;
  /** Waits for a started recovery, for a bounded time. */
  settled(): Promise<void>;
}
