import type { HostState } from "../decision/admit.ts";
import type { EndedBy, Exit, Survivor, Usage } from "../ending/ending.ts";
import type { LimitHits } from "../ending/limit-hits.ts";
import type { HostConfig, LeastFree, RefusalBudget } from "../policy/policy.ts";
import type { SessionRecord } from "../record/schema.ts";
import type { Plan } from "../scope/plan.ts";
import type { SessionId, TeamName } from "../units/ids.ts";
import type { Milliseconds } from "../units/quantities.ts";

/** What the story of a session needs of the world. src/system implements it; main puts it in. */
export interface SessionPorts {
  readonly clock: Clock;
  /** @param at when the session arrived, milliseconds since 1970: its id and its day's file then name one day */
  readonly newSessionId: (at: number) => SessionId;
  readonly admission: Admission;
  readonly requests: Requests;
  readonly programs: Programs;
  readonly scopes: Scopes;
  readonly client: Client;
  readonly records: Records;
  readonly recovery: Recovery;
  /**
   * Ends the processes of the account that are outside of its sessions, once the session has run its last command. There where
   * only root can look for them.
   * @returns how many were ended while the session ran and at its end; undefined where it ran no command
   */
  readonly strays?: () => Promise<number | undefined>;
}

export interface Clock {
  /** Milliseconds since 1970, for the record's time. */
  now(): number;
  /** Milliseconds of a clock that nobody sets, for durations. */
  monotonic(): number;
  /** Calls back once after `delay`; the answer takes it back. */
  after(delay: Milliseconds, callback: () => void): () => void;
}

/** What is counted over all sessions, and how the host is. */
export interface Admission {
  /**
   * Takes one of the places of a name, until it is given back or this process ends, however it ends.
   * @param most how many places there are
   * @returns undefined where all are taken
   * @throws AdmissionUnavailable
   */
  takeSlot(name: string, most: number): Promise<Place | undefined>;
  /**
   * Puts a start on the list of this minute, unless `most` stand there already.
   * @returns the list, in its order
   * @throws AdmissionUnavailable
   */
  countStart(name: string, session: SessionId, most: number): readonly string[];
  hostState(): HostState;
  /** Whether the log has room for the team; absent where nobody looks. */
  readonly logRoom?: LogRoom;
}

/** @returns false where the log's file system has less than `least` available, and this team wrote most today */
export type LogRoom = (directory: string, team: string, at: number, least: LeastFree) => boolean;

export interface Place {
  giveBack(): void;
}

/** The line loop's input. No byte behind a line's end is ever taken from the stream. */
export interface Requests {
  /** @throws ScopeUnavailable where the process that reads it cannot be given its limits */
  next(bounds: LineBounds): Promise<NextLine>;
}

export interface LineBounds {
  readonly maxBytes: number;
  readonly timeout: Milliseconds;
  /** Told on stderr when a second has gone by without a line: a person is there, and waits for a prompt. */
  readonly greeting?: string;
}

/** `bytes` are those that came, without the line's end. */
export interface NextLine {
  /** `end`: the stream ended; with bytes, within a line. */
  readonly kind: "line" | "end" | "too-long" | "timeout";
  readonly bytes: Uint8Array;
}

export type Interruption = "client-gone" | "killed-by-admin";

export interface Client {
  /** One line for the person or program at the other end; on stderr. Never throws: the client may be gone. */
  tell(line: string): void;
  /**
   * The same without waiting, also while a command runs: on stderr at once or not at all. Never throws.
   * @returns whether the line is on its way to the client
   */
  tellNow(line: string): boolean;
  /** The answer to `echo started`, the only bytes of nixgate's own on stdout. */
  answerStarted(): void;
  /**
   * Calls back when the client is lost or the administrator ends the session, at once where that has happened before;
   * perhaps more than once. The answer stops watching.
   */
  watch(callback: (event: Interruption) => void): () => void;
  /** How late `watch` may be with a lost client. */
  readonly latency: Milliseconds;
  /** Whether nobody reads stdout any more, or sshd itself is gone. */
  isGone(): boolean;
}

/** What can be known of a program before it is executed. */
export interface Programs {
  /** Why the account cannot execute it, as far as that is certain; undefined where nothing speaks against it. */
  problemWith(path: string): ProgramProblem | undefined;
}

export interface ProgramProblem {
  /** Continues the program's path. */
  readonly message: string;
  /** The remedy, as an imperative sentence without its full stop. */
  readonly fix: string;
}

export interface Scopes {
  /**
   * Makes the scope with the holder in it; the command has not begun.
   * @throws ScopeUnavailable when there is none to be had
   */
  open(plan: Plan): Promise<OpenScope>;
}

export interface OpenScope {
  /** When its making began, in milliseconds of `Clock.monotonic`. */
  readonly openedAt: number;
  /** When the command began, by the same clock, where another supervisor let it begin. */
  readonly begunAt?: number;
  /** The process that becomes the command. */
  readonly pid: number;
  /** systemd's invocation id, 32 hex digits, where a unit stands behind the scope. */
  readonly invocation: string | undefined;
  /** Whether this is a cgroup of its own; without one the limits are rlimits, for each process alone. */
  readonly isolation: Isolation;
  /** The limits as the kernel holds them, by property; one that it has no file for is not there. */
  readonly applied: Readonly<Record<string, string>>;
  /** The same of the team's slice; undefined where there is none. */
  readonly appliedToTeam: Readonly<Record<string, string>> | undefined;
  /** Lets the command begin. */
  begin(): void;
  /** Settles when the command has ended; what it left may still run. */
  readonly exited: Promise<Exit>;
  /**
   * Calls back when systemd begins to stop the scope at somebody's word: systemctl stop, a shutdown. The answer stops that.
   * Absent where systemd tells it only to who asks.
   */
  readonly onStop?: ((callback: () => void) => () => void) | undefined;
  /** Who ended the command from outside, once it has ended; undefined: nobody, as far as can be known. */
  readonly endedBy?: ((exit: Exit) => Promise<EndedBy | undefined>) | undefined;
  /** The processes in the scope besides the holder. */
  others(): readonly number[];
  /** What is there of the command and of what it left, as it is named to the administrator. */
  survivors(): readonly Survivor[];
  /** SIGTERM, and SIGCONT so that a stopped process gets it. */
  terminate(): void;
  /** SIGKILL to everything but the holder, also to what is just being forked. */
  kill(): void;
  /** The kernel's counters up to now; where systemd took the scope away first, as they were last seen. */
  usage(): Usage;
  /** The limits that were hit since this scope was made, up to the last `usage`: its own, and those that it shares. */
  hits(): LimitHits;
  /**
   * Ends the holder and whatever is still there, and with them the scope; more than once is no harm. Settles when the
   * holder is gone.
   */
  release(): Promise<void>;
}

export type Isolation = "scope-user" | "scope-system" | "process";

/** Where the records go. The story hands over whole lines; opening and writing safely is the sink's business. */
export interface Records {
  /**
   * The day's file of the team.
   * @param start of the session, milliseconds since 1970: its UTC day names the file
   * @throws RecordError E_LOG_CREATE (status 73)
   */
  open(directory: string, team: string, start: number): RecordFile;
  /** Sends the copy for the journal on its way; never fails the session. */
  copyToJournal(record: SessionRecord, line: string): void;
  /** Tells the journal what the administrator should know of the session and no record says; never fails the session. */
  tellJournal(session: SessionId, team: string, message: string): void;
  /**
   * Goes on trying to write the last records of a session that has ended, as soon as there is room. Absent in a process
   * that ends with its session: then `nixgate recover` takes them from the journal.
   */
  later?(late: LateRecords): void;
  /** Waits for what is still on its way, for a bounded time. */
  flush(): Promise<number>;
  /** What a team's refusals have cost today; absent where nobody counts. */
  readonly refusals?: Refusals;
}

/** Counts what the refusals of a team cost on record, on one day (UTC), and those that are not on record. */
export interface Refusals {
  /** @param at milliseconds since 1970 */
  isSpent(directory: string, team: string, at: number, budget: RefusalBudget): boolean;
  spend(directory: string, team: string, at: number, cost: RefusalBudget): void;
  /**
   * Counts a refused session that is one of many: one a minute is put on record.
   * @returns undefined where this one is counted alone; else how many were counted before, for its record
   */
  hold(directory: string, team: string, at: number): number | undefined;
  /** How many were counted and are on no record yet, for a record that is made anyway; 0 within that minute. */
  claim(directory: string, team: string, at: number): number;
}

/** Whole lines in the order of their chain, for the file of the day on which the session arrived. */
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
   * @returns where it is to be durable and a thread sees to that, what settles when it is on disk, or fails as this does
   * @throws RecordError E_LOG_WRITE (status 74)
   */
  append(line: string, options: { readonly durable: boolean }): Promise<void> | undefined;
  /** Behind all that is on its way to the disk. */
  close(): void;
}

/** Ends the records of the team's sessions whose supervisor died. It never fails the session that does it. */
export interface Recovery {
  /** Begins when nothing waits for this process; more than once is no harm. */
  begin(log: HostConfig["log"], team: TeamName): void;
  /** Waits for what has begun, for a bounded time. */
  settled(): Promise<void>;
}
