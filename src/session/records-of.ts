import type { Deny } from "../decision/decision.ts";
import { sessionStatus } from "../ending/cause.ts";
import type { Ending, Exit, Survivor } from "../ending/ending.ts";
import type { LockInForce } from "../policy/locks.ts";
import { requestText } from "../record/request-text.ts";
import type { RecordOf, SessionRecord } from "../record/schema.ts";
import type { LimitOf } from "../record/vocabulary.ts";
import type { Plan } from "../scope/plan.ts";
import { memberName } from "../units/ids.ts";
import { escapeText } from "../units/text.ts";
import type { AllowedRequest } from "./command/running-command.ts";
import type { ForcedCommand } from "./forced-command.ts";
import type { Outcome } from "./outcome.ts";
import type { Isolation, OpenScope } from "./ports.ts";
import type { SessionRefusal } from "./refusal.ts";
import type { OpenedSession } from "./session.ts";

/** The fields of one kind of record, before the chain adds session, time and place. */
type Body<Event extends SessionRecord["event"]> = Omit<
  RecordOf<Event>,
  "v" | "time" | "session" | "seq" | "team" | "host" | "boot" | "prev" | "hash"
>;

const ISOLATION = { user: "scope-user", system: "scope-system", none: "process" } satisfies Record<string, Isolation>;

/** A shorter wait is not recorded. */
export const NOTABLE_DELAY_MS = 1000;

export function startRecord({
  incoming,
  configuration,
}: Pick<OpenedSession, "incoming" | "configuration">): Body<"session.start"> {
  const { account, connection, forced, process, machine, arrived, request } = incoming;
  const member = memberName(forced.member ?? "");
  const { delayed = 0 } = arrived;
  const manager = configuration.host?.scope.manager ?? "none";
  return {
    event: "session.start",
    ...(member && { member }),
    user: account.name,
    uid: account.uid,
    ...connection,
    ...(!connection.key && keyOf(forced)),
    mode: request.mode,
    ...(configuration.source && { policy: { ...configuration.source } }),
    nixgate: process.version,
    pid: process.pid,
    ...(process.startedTicks !== undefined && { started_ticks: process.startedTicks }),
    ...(machine.id !== undefined && { machine: machine.id }),
    monotonic_ms: Math.round(arrived.arrivedAt),
    ...(delayed >= NOTABLE_DELAY_MS && { delayed_ms: Math.round(delayed) }),
    isolation: ISOLATION[manager],
  };
}

/** The key that the forced command names, where sshd says nothing of it (ExposeAuthInfo is off). */
function keyOf({ key, certificate }: ForcedCommand): Pick<Body<"session.start">, "key"> {
  if (key === undefined) return {};
  return { key: { fingerprint: key, ...(certificate && { certificate: { ...certificate } }) } };
}

export function refuseRecord({ reason, message, lock }: SessionRefusal): Body<"session.refuse"> {
  return { event: "session.refuse", reason, message, ...(lock && { lock: { ...lock } }) };
}

export function denyRecord(
  n: number,
  request: Uint8Array,
  { reason, rule }: { readonly reason: RecordOf<"command.deny">["reason"]; readonly rule: Deny["rule"] },
): Body<"command.deny"> {
  return { event: "command.deny", n, ...requestText(request), reason, rule: rule?.name ?? null };
}

export function commandStartRecord(
  { n, bytes, decision }: AllowedRequest,
  plan: Plan,
  scope: OpenScope | undefined,
  isFallback = false,
): Body<"command.start"> {
  return {
    event: "command.start",
    n,
    request: requestText(bytes).request,
    rule: decision.rule.name,
    argv: [...decision.argv],
    ...(decision.matched.length > 0 && { matched: decision.matched.map((one) => ({ ...one })) }),
    ...(isFallback && { isolation: ISOLATION[plan.manager] }),
    ...(plan.manager !== "none" && { unit: plan.unit }),
    ...(scope?.invocation !== undefined && { invocation: scope.invocation }),
    ...(scope && { pid: scope.pid, monotonic_ms: Math.round(scope.openedAt) }),
    builds_bounded_by: plan.buildsBoundedBy,
    limits: {
      asked: Object.fromEntries(plan.properties.map(({ name, value }) => [name, value])),
      applied: { ...scope?.applied },
    },
  };
}

/** @param limitOf the owner of the limit that was hit, where a limit was the cause */
export function commandEndRecord(n: number, ending: Ending, limitOf?: LimitOf): Body<"command.end"> {
  const { cause, exit, forced, wallMs, usage, leftovers, survivors } = ending;
  return {
    event: "command.end",
    n,
    cause,
    ...(exit && howItEnded(exit)),
    ...(forced && { status: sessionStatus(ending) }),
    ...(limitOf && { limit_of: limitOf }),
    wall_ms: wallMs,
    usage,
    ...(leftovers !== undefined && { leftovers }),
    ...(survivors.length > 0 && { survivors: survivors.slice(0, MOST_SURVIVORS).map(survivorOf) }),
  };
}

function howItEnded(exit: Exit): Pick<Body<"command.end">, "message" | "exit_code" | "signal"> {
  if (exit.notExecuted !== undefined) return { message: exit.notExecuted };
  return exit.signal === undefined ? { exit_code: exit.code } : { signal: exit.signal };
}

/** A record is one line. A fork bomb that cannot be ended must not make it long. */
const MOST_SURVIVORS = 100;

const survivorOf = ({ pid, uid, name }: Survivor) => ({
  pid,
  ...(uid !== undefined && { uid }),
  ...(name !== undefined && { name: escapeText(name) }),
});

/** The record of a command that was not started. */
export function notBegunRecord(n: number, cause: "scope-failed" | "exec-failed", message: string): Body<"command.end"> {
  return { event: "command.end", n, cause, message, wall_ms: 0, usage: {} };
}

/** What is known of a session's end besides its result. */
interface EndFacts {
  /** Undefined where nothing looked for strays. */
  readonly strays?: number | undefined;
  /** The lock that ended it. */
  readonly lock?: LockInForce | undefined;
}

export function endRecord(
  { exit, commands, denied, cause }: Outcome,
  wallMs: number,
  { strays, lock }: EndFacts = {},
): Body<"session.end"> {
  return {
    ...({ event: "session.end", exit, commands, denied, wall_ms: Math.round(wallMs), cause } as const),
    ...(lock && { lock: { ...lock } }),
    ...(strays !== undefined && { strays }),
  };
}
