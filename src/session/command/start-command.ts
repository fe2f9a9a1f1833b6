import { cannotRun } from "../../ending/words.ts";
import type { Manager } from "../../policy/policy.ts";
import { type Plan, planScope } from "../../scope/plan.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { tellClient, tellRefusal } from "../outcome.ts";
import type { OpenScope, SessionPorts } from "../ports.ts";
import { commandStartRecord, notBegunRecord } from "../records-of.ts";
import { ScopeUnavailable } from "../scope-unavailable.ts";
import type { Session } from "../session.ts";
import { limitsNotInForce, whyNotInForce } from "./limits-in-force.ts";
import { type AllowedRequest, problemWith, type RunningCommand } from "./running-command.ts";

/** The reason why a command was not started, and the exit status of its session. */
export interface NotBegun {
  readonly failed: "scope-failed" | "exec-failed";
  readonly status: ExitStatus;
}

/**
 * Makes the scope of one allowed request and puts the command's start on record. The command itself has not begun.
 * @throws RecordFailure where that cannot be put on record; the scope is then released
 */
export async function startCommand(session: Session, request: AllowedRequest): Promise<RunningCommand | NotBegun> {
  const { log, ports } = session;
  const { host } = session.configuration;
  const { manager, require } = host.scope;
  const planned = planOf(session, request, manager);
  const wrong = problemWith(planned, ports);
  if (wrong !== undefined) {
    log.write(commandStartRecord(request, planned, undefined));
    log.write(notBegunRecord(request.n, "exec-failed", wrong.message));
    tellRefusal(session, cannotRun(wrong.message));
    return { failed: "exec-failed", status: wrong.temporary ? ExitStatus.busy : ExitStatus.config };
  }
  const { plan, scope } = await openScope(session, request, planned);
  const isFallback = plan.manager !== manager;
  const fail = (problem: string, made?: OpenScope): NotBegun => {
    log.write(commandStartRecord(request, plan, made, isFallback));
    log.write(notBegunRecord(request.n, "scope-failed", problem));
    tellRefusal(session, `the command cannot be given its limits: ${problem}`);
    return { failed: "scope-failed", status: ExitStatus.unavailable };
  };
  if (scope instanceof ScopeUnavailable) return fail(scope.message);
  let isStarted = false;
  try {
    await log.settled(); // the first records were being written while the scope was made
    const [missing] = limitsNotInForce(plan, scope);
    if (missing && require) return fail(whyNotInForce(missing), scope);
    log.write(commandStartRecord(request, plan, scope, isFallback));
    isStarted = true;
    return { n: request.n, terms: plan, scope };
  } finally {
    if (!isStarted) await scope.release();
  }
}

function planOf({ id, configuration, incoming }: Session, { decision, n }: AllowedRequest, manager: Manager): Plan {
  const { host, policy } = configuration;
  const { account, holder } = incoming;
  const scope = { ...host.scope, manager };
  return planScope(decision, { host: { ...host, scope }, policy, session: id, n, account, holder });
}

interface OpenedPlan {
  readonly plan: Plan;
  readonly scope: OpenScope | ScopeUnavailable;
}

/** Opens the planned scope, or one with rlimits alone where the host allows that. */
async function openScope(session: Session, request: AllowedRequest, planned: Plan): Promise<OpenedPlan> {
  const scope = await scopeOf(planned, session.ports);
  const { require } = session.configuration.host.scope;
  // A command that requires a sandbox never runs without one.
  if (!(scope instanceof ScopeUnavailable) || require || planned.confinement) return { plan: planned, scope };
  tellClient(session, `no scope for this command, which has only rlimits instead: ${scope.message}`);
  const plan = planOf(session, request, "none");
  return { plan, scope: await scopeOf(plan, session.ports) };
}

function scopeOf(plan: Plan, { scopes }: Pick<SessionPorts, "scopes">): Promise<OpenScope | ScopeUnavailable> {
  return scopes.open(plan).catch((error: unknown) => {
    if (error instanceof ScopeUnavailable) return error;
    throw error;
  });
}
