import { exhausted } from "../units/exhausted.ts";
import { ExitStatus } from "../units/exit-status.ts";
import { escapeText } from "../units/text.ts";
import { admitSession } from "./admit-session.ts";
import type { Arrival, SessionRefusal } from "./arrival.ts";
import { type Outcome, tellClient } from "./outcome.ts";
import type { SessionPorts } from "./ports.ts";
import { endRecord, refuseRecord, startRecord } from "./records-of.ts";
import { serveRequests } from "./requests/serve-requests.ts";
import { openSessionLog, RecordFailure, type SessionLog } from "./session-log.ts";

/**
 * Runs one SSH session from its first record to its last.
 * @returns the exit status (sysexits(3), or the last command's own)
 */
export async function runSession(arrival: Arrival, ports: SessionPorts): Promise<number> {
  const log = openSessionLog(arrival, ports);
  const end = (outcome: Outcome & { readonly outright?: boolean }, strays?: number) => {
    const elapsed = log.elapsed();
    log.end(endRecord(outcome, elapsed, strays), elapsed, outcome.outright === true);
    return outcome.exit;
  };
  try {
    log.write(startRecord(arrival), { durable: true });
    const outcome = await serve(arrival, log, ports);
    return end(outcome, await ports.strays?.());
  } catch (error) {
    if (!(error instanceof RecordFailure)) {
      const lacking = exhausted(error);
      const exit = lacking === undefined ? ExitStatus.bug : ExitStatus.unavailable;
      attempt(() => end({ exit, ...log.counted(), cause: "internal" }));
      // The client is told only whom to ask. The administrator gets the whole error.
      const said = error instanceof Error ? error : new Error(String(error));
      log.tellJournal(lacking ?? `a bug in nixgate: ${said.stack ?? said.message}`);
      tellClient(lacking ?? `this is a bug in nixgate: ${escapeText(said.message)}`, arrival, ports);
      return exit;
    }
    // The file cannot be written. The journal may still take the cause.
    const { failure } = error;
    const refusal: SessionRefusal = {
      reason: "log-unavailable",
      message: "the session cannot be put on record",
      status: failure.exitStatus,
    };
    log.write(refuseRecord({ ...refusal, message: failure.message }));
    tellClient(refusal.message, arrival, ports);
    return end({ exit: refusal.status, ...log.counted(), cause: "internal" });
  } finally {
    log.close();
    await Promise.all([ports.records.flush(), ports.recovery.settled()]);
  }
}

/** Reasons for which many sessions are refused. The log must not record each of them. */
const OF_A_FLOOD: ReadonlySet<SessionRefusal["reason"]> = new Set(["rate", "log-full"]);

async function serve(
  arrival: Arrival,
  log: SessionLog,
  ports: SessionPorts,
): Promise<Outcome & { readonly outright?: boolean }> {
  const { session, configuration } = arrival;
  if (!configuration.ok) return refuse(configuration.refusal, arrival, log, ports);
  const admittance = await admitSession(session, configuration, ports.admission);
  if (!admittance.ok) return refuse(admittance.refusal, arrival, log, ports);
  try {
    log.begin(); // before the first wait for the client
    return await serveRequests(arrival, configuration, log, ports);
  } finally {
    admittance.leave();
  }
}

function refuse(refusal: SessionRefusal, arrival: Arrival, log: SessionLog, ports: SessionPorts) {
  log.write(refuseRecord(refusal), { durable: true });
  tellClient(refusal.message, arrival, ports);
  const outright = OF_A_FLOOD.has(refusal.reason);
  return { exit: refusal.status, commands: 0, denied: 0, cause: "exit", outright } as const;
}

function attempt(action: () => void): void {
  try {
    action();
  } catch {
    // the original failure is reported, not this one
  }
}
