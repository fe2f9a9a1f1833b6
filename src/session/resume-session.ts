import type { Unended } from "../archive/lost/unended.ts";
import { sessionStatus } from "../ending/cause.ts";
import type { HostConfig, Policy } from "../policy/policy.ts";
import { hostConfig, SESSION } from "../policy/schema/defaults.ts";
import { resumeChain } from "../record/chain.ts";
import type { RecordOf } from "../record/schema.ts";
import type { CommandTerms } from "../scope/plan.ts";
import { parseDuration } from "../units/durations.ts";
import type { SessionId, TeamName } from "../units/ids.ts";
import type { Milliseconds } from "../units/quantities.ts";
import { readmitSession } from "./admit-session.ts";
import { finishCommand } from "./command/finish-command.ts";
import type { Configuration, Locks } from "./configuration.ts";
import { lockBehind, presenceOnRecord } from "./locked.ts";
import { tellClient } from "./outcome.ts";
import type { OpenScope, SessionPorts } from "./ports.ts";
import { endRecord, refuseRecord } from "./records-of.ts";
import { openSessionLog, RecordFailure } from "./session-log.ts";

export type ResumePorts = Pick<SessionPorts, "clock" | "client" | "records" | "admission" | "programs" | "strays">;

/** A session whose supervisor has died while its command still runs. */
export interface Resumed {
  readonly lost: Unended;
  readonly begun: RecordOf<"command.start">;
}

/** The settings that still apply to a session whose command runs. */
export interface ResumedConfiguration extends Locks {
  readonly directory: string;
  readonly host: HostConfig;
  readonly policy: Pick<Policy, "team" | "session">;
}

/** Opens the scope and the ports of a command that runs. */
export type ReopenPorts = (
  terms: CommandTerms,
  clientGoneGrace: Milliseconds,
) => { readonly scope: OpenScope; readonly ports: ResumePorts };

/**
 * A command keeps running where its policy is gone or unreadable. It keeps the limits that it started with, and the
 * default settings apply to its watching and its records.
 */
export function orDefaults(configuration: Configuration, { lost }: Resumed): ResumedConfiguration {
  if (configuration.ok) return configuration;
  const { directory, host = hostConfig({ schema: 1 }), lockOn } = configuration;
  return { directory, host, lockOn, policy: { team: lost.start.team as TeamName, session: SESSION } };
}

/** The terms of a command from its record, to watch the command and to name the limit that it reaches. */
export function termsOfRecord({ begun }: Resumed, { policy }: ResumedConfiguration): CommandTerms {
  const { asked, applied } = begun.limits;
  const runtime =
    asked["RuntimeMaxSec"] === undefined ? undefined : parseDuration(String(asked["RuntimeMaxSec"]), true);
  return {
    argv: begun.argv as [string, ...string[]],
    properties: Object.entries(asked).map(([name, value]) => ({ name, value: String(value) })),
    expectations: Object.entries(applied).map(([property, value]) => ({ property, value: String(value) })),
    runtimeMax: typeof runtime === "number" ? runtime : undefined,
    stopTimeout: policy.session.stopTimeout,
    buildsBoundedBy: begun.builds_bounded_by ?? "host",
  };
}

/**
 * Continues a session of an earlier supervisor, from its running command to its last record. A line loop ends with that
 * command, because the process that read its lines is no longer known.
 * @returns the exit status
 */
export async function resumeSession(
  resumed: Resumed,
  configuration: ResumedConfiguration,
  reopen: ReopenPorts,
): Promise<number> {
  const terms = termsOfRecord(resumed, configuration);
  const { scope, ports } = reopen(terms, configuration.policy.session.clientGoneGrace);
  const session = openResumed(resumed, configuration, ports);
  const { log } = session;
  const { commands, denied } = resumed.lost;
  const slots = await readmitSession(configuration, ports.admission);
  try {
    const ending = await finishCommand(session, { n: resumed.begun.n, terms, scope });
    const exit = sessionStatus(ending);
    const strays = await ports.strays?.();
    const elapsed = log.elapsed();
    const lock = lockBehind(session, ending.cause);
    const end = endRecord({ exit, commands, denied, cause: ending.cause }, elapsed, { strays, lock });
    log.write(end, { durable: true, elapsed });
    return exit;
  } catch (error) {
    tellClient(session, "the session cannot be recorded");
    if (!(error instanceof RecordFailure)) throw error;
    const { exitStatus: exit, message: why } = error.failure;
    log.write(refuseRecord({ reason: "log-unavailable", message: why, status: exit }));
    const elapsed = log.elapsed();
    log.write(endRecord({ exit, commands, denied, cause: "internal" }, elapsed), { durable: true, elapsed });
    return exit;
  } finally {
    log.close();
    slots.giveBack();
  }
}

function openResumed({ lost: { start, last } }: Resumed, configuration: ResumedConfiguration, ports: ResumePorts) {
  const id = start.session as SessionId;
  const head = {
    session: id,
    team: start.team as TeamName,
    machine: { host: start.host, boot: start.boot },
    arrived: { startedAt: Date.parse(start.time), arrivedAt: start.monotonic_ms ?? arrivalOf(start, ports) },
    settings: configuration.host.log,
  };
  const lockNow = () => configuration.lockOn(presenceOnRecord(start), ports.clock.now());
  return { id, configuration, ports, lockNow, log: openSessionLog(head, ports, resumeChain(last)) };
}

/** For records of older versions, which have no monotonic time. The clock may have been set back since. */
const arrivalOf = ({ time }: { readonly time: string }, { clock }: Pick<SessionPorts, "clock">): number =>
  clock.monotonic() - Math.max(0, clock.now() - Date.parse(time));
