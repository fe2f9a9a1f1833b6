import type { Unended } from "../archive/lost/unended.ts";
import { sessionStatus } from "../ending/cause.ts";
import { resumeChain } from "../record/chain.ts";
import type { RecordOf } from "../record/schema.ts";
import type { Plan } from "../scope/plan.ts";
import { parseDuration } from "../units/durations.ts";
import type { SessionId, TeamName } from "../units/ids.ts";
import { readmitSession } from "./admit-session.ts";
import type { Configuration } from "./arrival.ts";
import { runToEnd } from "./command/serve-command.ts";
import type { OpenScope, SessionPorts } from "./ports.ts";
import { endRecord, refuseRecord } from "./records-of.ts";
import { openSessionLog, RecordFailure } from "./session-log.ts";

type Admitted = Extract<Configuration, { ok: true }>;

export type ResumePorts = Pick<SessionPorts, "clock" | "client" | "records" | "admission" | "programs" | "strays">;

/** A session whose supervisor has died while its command still runs. */
export interface Resumed {
  readonly lost: Unended;
  readonly begun: RecordOf<"command.start">;
}

/**
 * The part of the plan that the command's record holds: enough to watch the command and to name the limit that it hits.
 */
export function planOfRecord({ begun }: Resumed, { policy }: Admitted): Plan {
  const { asked } = begun.limits;
  const runtime =
    asked["RuntimeMaxSec"] === undefined ? undefined : parseDuration(String(asked["RuntimeMaxSec"]), true);
  return {
    manager: "system",
    unit: begun.unit ?? "",
    slice: "",
    description: "",
    argv: begun.argv as [string, ...string[]],
    environment: {},
    confinement: undefined,
    properties: Object.entries(asked).map(([name, value]) => ({ name, value: String(value) })),
    unitProperties: [],
    expectations: Object.entries(begun.limits.applied).map(([property, value]) => ({
      property,
      file: "",
      value: String(value),
    })),
    team: { properties: [], expectations: [] },
    commandLine: begun.argv as [string, ...string[]],
    runtimeMax: typeof runtime === "number" ? runtime : undefined,
    stopTimeout: policy.session.stopTimeout,
  };
}

/**
 * Continues a session of an earlier supervisor, from its running command to its last record. A line loop ends with that
 * command, because the process that read its lines is no longer known.
 * @returns the exit status
 */
export async function resumeSession(
  resumed: Resumed,
  admitted: Admitted,
  plan: Plan,
  scope: OpenScope,
  ports: ResumePorts,
): Promise<number> {
  const { start, last, commands, denied } = resumed.lost;
  const arrival = {
    session: start.session as SessionId,
    machine: { host: start.host, boot: start.boot },
    configuration: admitted,
    team: start.team as TeamName,
    startedAt: Date.parse(start.time),
    arrivedAt: start.monotonic_ms ?? arrivalOf(start, ports),
  };
  const log = openSessionLog(arrival, ports, resumeChain(last));
  const place = await readmitSession(admitted, ports.admission);
  try {
    const ending = await runToEnd(scope, plan, resumed.begun.n, admitted.policy.session, arrival, log, ports);
    const exit = sessionStatus(ending);
    const strays = await ports.strays?.();
    const elapsed = log.elapsed();
    log.write(endRecord({ exit, commands, denied, cause: ending.cause }, elapsed, strays), { durable: true, elapsed });
    return exit;
  } catch (error) {
    const message = "the session cannot be put on record";
    ports.client.tell(`nixgate: ${message} (session ${start.session})`);
    if (!(error instanceof RecordFailure)) throw error;
    const { exitStatus: exit, message: why } = error.failure;
    log.write(refuseRecord({ reason: "log-unavailable", message: why, status: exit }));
    const elapsed = log.elapsed();
    log.write(endRecord({ exit, commands, denied, cause: "internal" }, elapsed), { durable: true, elapsed });
    return exit;
  } finally {
    log.close();
    place.leave();
  }
}

/** For records of older versions, which have no monotonic time. The clock may have been set back since. */
const arrivalOf = ({ time }: { readonly time: string }, { clock }: Pick<SessionPorts, "clock">): number =>
  clock.monotonic() - Math.max(0, clock.now() - Date.parse(time));
