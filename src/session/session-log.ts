import type { HostConfig, RefusalBudget } from "../policy/policy.ts";
import { hostConfig } from "../policy/schema/defaults.ts";
import { append, type Chain, openChain } from "../record/chain.ts";
import type { RecordBody } from "../record/schema.ts";
import { UNASSIGNED } from "../record/vocabulary.ts";
import { NixgateError } from "../units/error.ts";
import type { Arrival } from "./arrival.ts";
import { tellClient } from "./outcome.ts";
import type { RecordFile, Refusals, SessionPorts } from "./ports.ts";

/** A session's records: to the day's file of its team, and to the journal. */
export interface SessionLog {
  /**
   * Appends a record. One that is to be durable is on its way to the disk. Its time is that of the session's arrival and
   * what has elapsed since, by a clock that nobody sets: a session has one duration, wherever it is read.
   * @param options `elapsed`: where the record itself says how long it took
   * @throws RecordFailure where it cannot be written and `on_failure = "refuse"`
   */
  write(body: RecordBody, options?: { readonly durable?: boolean; readonly elapsed?: number }): void;
  /** From now on each record is written at once. Before that they wait, because the session may come to nothing. */
  begin(): void;
  /**
   * Ends the records. A session that had nothing but refusals, and of which the team's budget for refusals has no room, is
   * counted and not put on record.
   * @param outright whether it is counted even while there is room, because it is one of a flood
   */
  end(body: EndBody, elapsed: number, outright: boolean): void;
  /** Since the session arrived, in whole milliseconds. */
  elapsed(): number;
  /**
   * Waits until what is to be durable is on disk.
   * @throws RecordFailure where it does not get there and `on_failure = "refuse"`
   */
  settled(): Promise<void>;
  /** Tells the journal, where there is to be one, what no record says. */
  tellJournal(message: string): void;
  /** What the records say so far, for the last one. */
  counted(): { readonly commands: number; readonly denied: number };
  /** Lets go of the file; nothing is written any more. */
  close(): void;
}

type EndBody = Extract<RecordBody, { event: "session.end" }>;

/** A record that waits. */
interface Waiting {
  readonly body: RecordBody;
  readonly durable: boolean;
  readonly time: number;
}

/** A record could not be written, and the configuration says to refuse then. */
export class RecordFailure extends Error {
  readonly failure: NixgateError;
  constructor(failure: NixgateError) {
    super(failure.message, { cause: failure });
    this.failure = failure;
  }
}

/** Records of a session that wait for room on the disk; of one that makes more, the journal alone has the rest. */
const MOST_UNWRITTEN = 256;

/** Where nothing says otherwise, because the host's file cannot be read. */
const DEFAULT_LOG: HostConfig["log"] = hostConfig({ schema: 1 }).log;

/**
 * @param begun where the chain stands of a session that another supervisor began
 */
export function openSessionLog(
  arrival: Pick<Arrival, "session" | "machine" | "configuration" | "team" | "startedAt" | "arrivedAt">,
  ports: Pick<SessionPorts, "clock" | "client" | "records">,
  begun?: Chain,
): SessionLog {
  const { clock, records } = ports;
  const { session, machine, configuration } = arrival;
  const settings = configuration.host?.log ?? DEFAULT_LOG;
  // A team that no policy stands behind is none: anybody who can write a forced command could make up its name.
  const unknown = !configuration.ok && configuration.refusal.reason === "unknown-team";
  const team = arrival.team === undefined || unknown ? UNASSIGNED : arrival.team;
  let chain = begun ?? openChain({ session, team, host: machine.host, boot: machine.boot });
  let file: RecordFile | undefined;
  let failure: NixgateError | undefined;
  let underWay: Promise<unknown> | undefined;
  /** In the order of the chain; those that the file did not take stand in front. */
  let unwritten: { readonly line: string; readonly durable: boolean }[] = [];
  let hasGivenUp = false;
  const counts = { commands: 0, denied: 0 };

  const elapsed = () => Math.max(0, Math.round(clock.monotonic() - arrival.arrivedAt));
  /**
   * Writes what waits, in its order, so that the file never has a gap: it may be a part of the chain, and the rest is in
   * the journal.
   * @returns why the line is not in the file
   */
  const store = (line: string, durable: boolean): NixgateError | undefined => {
    if (unwritten.length >= MOST_UNWRITTEN) hasGivenUp = true;
    if (hasGivenUp) return failure;
    unwritten.push({ line, durable });
    try {
      file ??= records.open(settings.directory, team, arrival.startedAt);
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

  /** Said once. */
  const lose = (problem: NixgateError) => {
    if (failure) return;
    failure = problem;
    if (settings.onFailure === "refuse") return;
    tellJournal(`the session goes on without records in its file: ${problem.message}`);
    tellClient("this session goes on without being put on record", arrival, ports);
  };
  /** Perhaps behind the session's end, when nobody waits any more: then the journal alone can say it. */
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
      // The session ends in another way because of it, and has one end only.
      unwritten.pop();
      chain = before;
      lose(problem);
      throw new RecordFailure(problem);
    }
    // Behind the file: who is killed in between leaves a record without a copy, and never a copy without its record.
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
  const budget = budgetOf(records.refusals, settings, team, arrival.startedAt);
  return {
    tellJournal,
    elapsed,
    begin() {
      if (!budget.isSpent()) commit();
    },
    write(body, { durable = false, elapsed: since = elapsed() } = {}) {
      if (body.event === "command.start") counts.commands += 1;
      if (body.event === "command.deny") counts.denied += 1;
      // Its file is that of the day on which the session arrived, and so is its first record, also at midnight.
      const time = body.event === "session.start" ? arrival.startedAt : arrival.startedAt + since;
      if (body.event === "command.start") {
        isRefused = false;
        commit();
      }
      if (waiting) waiting.push({ body, durable, time });
      else writeNow({ body, durable, time });
    },
    end(body, since, outright) {
      // A failure of nixgate's own is never one of many.
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
      records.later?.({ directory: settings.directory, team, start: arrival.startedAt, session, lines });
    },
  };
}

/** What counts refusals may fail as any file may; then they are on record one by one, as if nobody counted. */
function budgetOf(refusals: Refusals | undefined, settings: HostConfig["log"], team: string, at: number) {
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
