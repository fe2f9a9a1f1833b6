import type { HostConfig } from "../policy/policy.ts";
import { append, type Chain, openChain } from "../record/chain.ts";
import type { RecordBody } from "../record/schema.ts";
import { UNASSIGNED } from "../record/vocabulary.ts";
import { NixgateError } from "../units/error.ts";
import type { Arrival } from "./arrival.ts";
import { tellRefusal } from "./outcome.ts";
import type { RecordFile, SessionPorts } from "./ports.ts";

/** A session's records: to the day's file of its team, and to the journal. */
export interface SessionLog {
  /**
   * Appends a record. One that is to be durable is on its way to the disk. Its time is that of the session's arrival and
   * what has elapsed since, by a clock that nobody sets: a session has one duration, wherever it is read.
   * @param options `elapsed`: where the record itself says how long it took
   * @throws RecordFailure where it cannot be written and `on_failure = "refuse"`
   */
  write(body: RecordBody, options?: { readonly durable?: boolean; readonly elapsed?: number }): void;
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

/** A record could not be written, and the configuration says to refuse then. */
export class RecordFailure extends Error {
  readonly failure: NixgateError;
  constructor(failure: NixgateError) {
    super(failure.message, { cause: failure });
    this.failure = failure;
  }
}

/** Where nothing says otherwise, because the host's file cannot be read. */
const DEFAULT_LOG: HostConfig["log"] = { directory: "/var/log/nixgate", journald: true, onFailure: "refuse" };

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
  const counts = { commands: 0, denied: 0 };

  const elapsed = () => Math.max(0, Math.round(clock.monotonic() - arrival.arrivedAt));
  /** @returns why the line is not in the file */
  const store = (line: string, durable: boolean): NixgateError | undefined => {
    try {
      file ??= records.open(settings.directory, team, arrival.startedAt);
      const syncing = file.append(line, { durable });
      if (syncing) underWay = Promise.all([underWay, syncing.catch(loseLate)]);
      return undefined;
    } catch (error) {
      return nixgateError(error);
    }
  };

  /** Said once. What follows is tried again: behind a gap that readers see, the file still says how the session ended. */
  const lose = (problem: NixgateError) => {
    if (failure) return;
    failure = problem;
    if (settings.onFailure === "refuse") return;
    tellJournal(`the session goes on without records in its file: ${problem.message}`);
    tellRefusal("this session goes on without being put on record", arrival, ports);
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
  return {
    tellJournal,
    elapsed,
    write(body, { durable = false, elapsed: since = elapsed() } = {}) {
      if (body.event === "command.start") counts.commands += 1;
      if (body.event === "command.deny") counts.denied += 1;
      // Its file is that of the day on which the session arrived, and so is its first record, also at midnight.
      const time = body.event === "session.start" ? arrival.startedAt : arrival.startedAt + since;
      const appended = append(chain, time, body);
      chain = appended.chain;
      const problem = store(appended.line, durable);
      // Behind the file: who is killed in between leaves a record without a copy, and never a copy without its record.
      if (settings.journald) records.copyToJournal(appended.record, appended.line);
      if (!problem || failure) return;
      lose(problem);
      if (settings.onFailure === "refuse") throw new RecordFailure(problem);
    },
    async settled() {
      await underWay;
      if (failure && settings.onFailure === "refuse") throw new RecordFailure(failure);
    },
    counted: () => counts,
    close() {
      file?.close();
      file = undefined;
    },
  };
}

function nixgateError(error: unknown): NixgateError {
  if (error instanceof NixgateError) return error;
  throw error;
}
