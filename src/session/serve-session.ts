import { exhausted } from "../units/exhausted.ts";
import { ExitStatus } from "../units/exit-status.ts";
import type { Milliseconds } from "../units/quantities.ts";
import { escapeText } from "../units/text.ts";
import { withAccess } from "./access.ts";
import { admitSession } from "./admit-session.ts";
import type { Configuration } from "./configuration.ts";
import type { IncomingSession } from "./incoming-session.ts";
import { lockBehind } from "./locked.ts";
import { type Outcome, tellRefusal } from "./outcome.ts";
import type { SessionPorts } from "./ports.ts";
import { endRecord, refuseRecord, startRecord } from "./records-of.ts";
import type { SessionRefusal } from "./refusal.ts";
import { serveRequests } from "./requests/serve-requests.ts";
import { type OpenedSession, openSession } from "./session.ts";
import { RecordFailure } from "./session-log.ts";

/** Opens the session's ports. They need to know how long a lost client may stay unnoticed. */
export type OpenPorts = (clientGoneGrace: Milliseconds) => SessionPorts;

/** For sessions that end before a policy is read. */
const DEFAULT_GRACE = 2000 as Milliseconds;

/**
 * Serves one SSH session from its arrival to its end.
 * @returns the exit status (sysexits(3), or the last command's own)
 */
export async function serveSession(
  incoming: IncomingSession,
  configuration: Configuration,
  openPorts: OpenPorts,
): Promise<number> {
  const ports = openPorts(configuration.ok ? configuration.policy.session.clientGoneGrace : DEFAULT_GRACE);
  const session = openSession(incoming, judged(incoming, configuration), ports);
  try {
    session.log.write(startRecord(session), { durable: true });
    const ending = await admitAndServe(session);
    return endSession(session, ending, await ports.strays?.());
  } catch (error) {
    return error instanceof RecordFailure ? endUnrecorded(session, error) : endByBug(session, error);
  } finally {
    session.log.close();
    await Promise.all([ports.records.flush(), ports.recovery.settled()]);
  }
}

/** `outright`: the refusal is counted even with budget left, because it is one of a flood. */
type EndOfSession = Outcome & { readonly outright?: boolean };

async function admitAndServe(session: OpenedSession): Promise<EndOfSession> {
  const { configuration, ports, log } = session;
  if (!configuration.ok) return refuse(session, configuration.refusal);
  const admittance = await admitSession(session.id, configuration, ports.admission);
  if (!admittance.ok) return refuse(session, admittance.refusal);
  try {
    log.begin(); // before the first wait for the client
    return await serveRequests({ ...session, configuration });
  } finally {
    admittance.giveBack();
  }
}

function endSession(session: OpenedSession, ending: EndOfSession, strays?: number): number {
  const { log } = session;
  const elapsed = log.elapsed();
  const lock = lockBehind(session, ending.cause);
  log.end(endRecord(ending, elapsed, { strays, lock }), elapsed, ending.outright === true);
  return ending.exit;
}

/** Reasons for which many sessions are refused. The log must not record each of them. */
const OF_A_FLOOD: ReadonlySet<SessionRefusal["reason"]> = new Set(["rate", "log-full"]);

function refuse(session: OpenedSession, refusal: SessionRefusal): EndOfSession {
  session.log.write(refuseRecord(refusal), { durable: true });
  tellRefusal(session, refusal.message);
  const outright = OF_A_FLOOD.has(refusal.reason);
  return { exit: refusal.status, commands: 0, denied: 0, cause: "exit", outright };
}

/** The configuration, or the refusal of this client before anything else is judged. */
function judged(incoming: IncomingSession, configuration: Configuration): Configuration {
  const current = withAccess(configuration, incoming);
  return incoming.terminal ? refuseTerminal(current) : current;
}

function refuseTerminal(configuration: Configuration): Configuration {
  if (!configuration.ok) return configuration;
  const message = "this account gets no terminal: leave out ssh's -t";
  return { ...configuration, ok: false, refusal: { reason: "terminal", message, status: ExitStatus.denied } };
}

/** The file cannot be written. The journal may still take the cause. */
function endUnrecorded(session: OpenedSession, { failure }: RecordFailure): number {
  const { log } = session;
  const status = failure.exitStatus;
  log.write(refuseRecord({ reason: "log-unavailable", message: failure.message, status }));
  tellRefusal(session, "the session cannot be recorded");
  return endSession(session, { exit: status, ...log.counted(), cause: "internal" });
}

/** The client is told only whom to ask. The administrator gets the whole error. */
function endByBug(session: OpenedSession, error: unknown): number {
  const { log } = session;
  const lacking = exhausted(error);
  const exit = lacking === undefined ? ExitStatus.bug : ExitStatus.unavailable;
  attempt(() => endSession(session, { exit, ...log.counted(), cause: "internal" }));
  const said = error instanceof Error ? error : new Error(String(error));
  log.tellJournal(lacking ?? `a bug in nixgate: ${said.stack ?? said.message}`);
  tellRefusal(session, lacking ?? `this is a bug in nixgate: ${escapeText(said.message)}`);
  return exit;
}

function attempt(action: () => void): void {
  try {
    action();
  } catch {
    // the original failure is reported, not this one
  }
}
