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
   * Appends a record. `durable` returns when the record is on disk.
   * @throws RecordFailure where it cannot be written and `on_failure = "refuse"`
   */
  write(body: RecordBody, options?: { readonly durable?: boolean }): void;
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
  arrival: Pick<Arrival, "session" | "machine" | "configuration" | "team" | "startedAt">,
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

  return {
    write(body, { durable = false } = {}) {
      const appended = append(chain, clock.now(), body);
      chain = appended.chain;
      if (settings.journald) records.copyToJournal(appended.record, appended.line);
      if (failure) return; // said once; what follows has no place in a file that lacks a line
      try {
        file ??= records.open(settings.directory, team, arrival.startedAt);
        file.append(appended.line, { durable });
      } catch (error) {
        if (!(error instanceof NixgateError)) throw error;
        failure = error;
        if (settings.onFailure === "refuse") throw new RecordFailure(error);
        if (settings.journald) records.tellJournal(session, team, error);
        tellRefusal("this session goes on without being put on record", arrival, ports);
      }
    },
    close() {
      file?.close();
      file = undefined;
    },
  };
}
