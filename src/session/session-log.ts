import type { HostConfig, RefusalBudget } from "../policy/policy.ts";
import { hostConfig } from "../policy/schema/defaults.ts";
import { append, type Chain, openChain } from "../record/chain.ts";
import type { RecordBody } from "../record/schema.ts";
import type { UNASSIGNED } from "../record/vocabulary.ts";
import { NixgateError } from "../units/error.ts";
import type { SessionId, TeamName } from "../units/ids.ts";
import type { ArrivalTime, Machine } from "./incoming-session.ts";
import { tellClient } from "./outcome.ts";
import type { RecordFile, Refusals, SessionPorts } from "./ports.ts";

/** The records of a session. They go to the team's file of the day and to the journal. */
export interface SessionLog {
  /**
   * Appends a record. A durable record is sent to the disk at once. A record's time is the session's arrival plus the
   * elapsed monotonic time, so that a session has the same duration in every record.
   * @param options `elapsed`: set where the record itself holds a duration
   * @throws RecordFailure where it cannot be written and `on_failure = "refuse"`
   */
  write(body: RecordBody, options?: { readonly durable?: boolean; readonly elapsed?: number }): void;
  /** Writes each record at once from now on. Earlier records wait, because a refused session may leave none. */
  begin(): void;
  /** Writes the records that still wait, whatever the budget: the session is about to begin a command. */
  publish(): void;
  /**
   * Ends the records. A session with only refusals is counted and not recorded where the team's budget for refusals is
   * used up.
   * @param outright whether it is counted even with budget left, because it is one of a flood
   */
  end(body: EndBody, elapsed: number, outright: boolean): void;
  /** The time since the session arrived, in whole milliseconds. */
  elapsed(): number;
  /**
   * Waits until all durable records are on disk.
   * @throws RecordFailure where that fails and `on_failure = "refuse"`
   */
  settled(): Promise<void>;
  /** Sends the journal, where it is enabled, a message that is in no record. */
  tellJournal(message: string): void;
  /** The numbers of commands and denials so far, for the last record. */
  counted(): { readonly commands: number; readonly denied: number };
  /** Closes the file. Nothing is written afterwards. */
  close(): void;
}

type EndBody = Extract<RecordBody, { event: "session.end" }>;

/** A record that is not written yet. */
interface Waiting {
  readonly body: RecordBody;
  readonly durable: boolean;
  readonly time: number;
}

/** A record could not be written, and the configuration refuses sessions in that case. */
export class RecordFailure extends Error {
  readonly failure: NixgateError;
  constructor(failure: NixgateError) {
    super(failure.message, { cause: failure });
    this.failure = failure;
  }
}

/** The number of records that wait for room on the disk. Further records of the session are only in the journal. */
const MOST_UNWRITTEN = 256;

/** The default settings, for a nixgate.toml that cannot be read. */
const DEFAULT_LOG: LogSettings = hostConfig({ schema: 1 }).log;

/** The session that a log belongs to. */
export interface LogHead {
  readonly session: SessionId;
  readonly team: TeamName | typeof UNASSIGNED;
  readonly machine: Pick<Machine, "host" | "boot">;
  readonly arrived: Pick<ArrivalTime, "startedAt" | "arrivedAt">;
  /** Undefined where nixgate.toml cannot be read: then the default settings apply. */
  readonly settings: LogSettings | undefined;
}

type LogSettings = HostConfig["log"];

/** @param begun the chain so far, of a session that another supervisor began */
export function openSessionLog(
  { session, team, machine, arrived, settings = DEFAULT_LOG }: LogHead,
  ports: Pick<SessionPorts, "clock" | "client" | "records">,
  begun?: Chain,
): SessionLog {
  const { clock, records } = ports;
  let chain = begun ?? openChain({ session, team, host: machine.host, boot: machine.boot });
  let file: RecordFile | undefined;
  let failure: NixgateError | undefined;
  let underWay: Promise<unknown> | undefined;
  /** In the order of the chain. Lines that the file did not take come first. */
  let unwritten: { readonly line: string; readonly durable: boolean }[] = [];
  let hasGivenUp = false;
  const counts = { commands: 0, denied: 0 };

  const elapsed = () => Math.max(0, Math.round(clock.monotonic() - arrived.arrivedAt));
  /**
   * Writes the waiting lines in order, so that the file never has a gap. It may hold only the first part of the chain;
   * the rest is in the journal.
   * @returns why the line is not in the file
   */
  const store = (line: string, durable: boolean): NixgateError | undefined => {
    if (unwritten.length >= MOST_UNWRITTEN) hasGivenUp = true;
    if (hasGivenUp) return failure;
    unwritten.push({ line, durable });
    try {
      file ??= records.open(settings.directory, team, arrived.startedAt);
      for (let next = unwritten[0]; next; next = unwritten[0]) {
        const syncing = file.append(next.line, { durable: next.durable });
        if (syncing) underWay = Promise.all([underWay, syncing.catch(loseLate)]);
        unwritten.shift();
      }
      return undefined;
    } catch (error) {
      return nixgateError(error);
    }
  };

  /** Reports the first failure only. */
  const lose = (problem: NixgateError) => {
    if (failure) return;
    failure = problem;
    if (settings.onFailure === "refuse") return;
    tellJournal(`the session continues without records in its file: ${problem.message}`);
    tellClient({ id: session, ports }, "this session continues without being recorded");
  };
  /** Reports a failure that may come after the session's end. Then only the journal can take it. */
  const loseLate = (error: unknown) => {
    const problem = nixgateError(error);
    if (settings.onFailure === "refuse") tellJournal(problem.message);
    lose(problem);
  };

  const tellJournal = (message: string) => {
    if (settings.journald) records.tellJournal(session, team, message);
  };
  let waiting: Waiting[] | undefined = begun || !records.refusals ? undefined : [];
  let cost = { bytes: 0, records: 0 };
  let isRefused = true;
  const writeNow = ({ body, durable, time }: Waiting) => {
    const before = chain;
    const appended = append(chain, time, body);
    chain = appended.chain;
    cost = { bytes: cost.bytes + Buffer.byteLength(appended.line), records: cost.records + 1 };
    const problem = store(appended.line, durable);
    if (problem && !failure && settings.onFailure === "refuse" && body.event === "session.end") {
      // The failure changes the session's end, and a session has one end only.
      unwritten.pop();
      chain = before;
      lose(problem);
      throw new RecordFailure(problem);
    }
    // The file comes first. A process that is killed in between leaves a record without a copy, never a copy without a
    // record.
    if (settings.journald) records.copyToJournal(appended.record, appended.line);
    if (!problem || failure) return;
    lose(problem);
    if (settings.onFailure === "refuse") throw new RecordFailure(problem);
  };
  const commit = () => {
    const held = waiting ?? [];
    waiting = undefined;
    for (const one of held) writeNow(one);
  };
  const budget = budgetOf(records.refusals, settings, team, arrived.startedAt);
  return {
    tellJournal,
    elapsed,
    begin() {
      if (!budget.isSpent()) commit();
    },
    publish: commit,
    write(body, { durable = false, elapsed: since = elapsed() } = {}) {
      if (body.event === "command.start") counts.commands += 1;
      if (body.event === "command.deny") counts.denied += 1;
      // The file is that of the day of arrival. The first record has the same date, also at midnight.
      const time = body.event === "session.start" ? arrived.startedAt : arrived.startedAt + since;
      if (body.event === "command.start") {
        isRefused = false;
        commit();
      }
      if (waiting) waiting.push({ body, durable, time });
      else writeNow({ body, durable, time });
    },
    end(body, since, outright) {
      // An internal failure of nixgate is always recorded.
      const isCounted = waiting !== undefined && isRefused && body.cause !== "internal";
      const mayWait = isCounted && (outright || budget.isSpent());
      const summedUp = mayWait ? budget.hold() : budget.claim();
      if (summedUp === undefined) return;
      commit();
      this.write({ ...body, ...(summedUp > 0 && { summed_up: summedUp }) }, { durable: true, elapsed: since });
      if (isRefused) budget.spend(cost);
    },
    async settled() {
      await underWay;
      if (failure && settings.onFailure === "refuse") throw new RecordFailure(failure);
    },
    counted: () => counts,
    close() {
      file?.close();
      file = undefined;
      const lines = unwritten.map(({ line }) => line);
      unwritten = [];
      if (lines.length === 0 || hasGivenUp) return;
      records.later?.({ directory: settings.directory, team, start: arrived.startedAt, session, lines });
    },
  };
}

/** The counters of refusals are files and may fail. Then each refusal is recorded, as without a counter. */
function budgetOf(refusals: Refusals | undefined, settings: LogSettings, team: string, at: number) {
  const { directory, maxRefusalBytesPerDay: bytes, maxRefusalsPerDay: records } = settings;
  const attempt = <T>(action: (counted: Refusals) => T, otherwise: T): T => {
    try {
      return refusals ? action(refusals) : otherwise;
    } catch {
      return otherwise;
    }
  };
  return {
    isSpent: () => attempt((counted) => counted.isSpent(directory, team, at, { bytes, records }), false),
    claim: () => attempt((counted) => counted.claim(directory, team, at), 0),
    hold: () => attempt((counted) => counted.hold(directory, team, at), 0),
    spend: (cost: RefusalBudget) => attempt((counted) => counted.spend(directory, team, at, cost), undefined),
  };
}

function nixgateError(error: unknown): NixgateError {
  if (error instanceof NixgateError) return error;
  throw error;
}
