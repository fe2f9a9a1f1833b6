import type { Allow } from "../decision/decision.ts";
import type { Ending } from "../ending/ending.ts";
import { whoseLimit } from "../ending/limit-hits.ts";
import { cannotRun, wordsForClient } from "../ending/words.ts";
import type { Manager, SessionRules } from "../policy/policy.ts";
import { type Plan, planScope } from "../scope/plan.ts";
import { ExitStatus } from "../units/exit-status.ts";
import type { Arrival, Configuration } from "./arrival.ts";
import { tellRefusal } from "./outcome.ts";
import type { OpenScope, SessionPorts } from "./ports.ts";
import { commandEndRecord, commandStartRecord, notBegunRecord } from "./records-of.ts";
import { limitsNotInForce, problemWith, runCommand } from "./run-command.ts";
import { ScopeUnavailable } from "./scope-unavailable.ts";
import type { SessionLog } from "./session-log.ts";

type Admitted = Extract<Configuration, { ok: true }>;

/** Why a command never began, and the status that its session ends with. */
export interface NotBegun {
  readonly failed: "scope-failed" | "exec-failed";
  readonly status: ExitStatus;
}

/** Plan, scope, command, ending, records: one allowed request from its decision to its end. */
export async function serveCommand(
  decision: Allow,
  request: Uint8Array,
  n: number,
  arrival: Arrival,
  admitted: Admitted,
  log: SessionLog,
  ports: SessionPorts,
): Promise<Ending | NotBegun> {
  const { host, policy } = admitted;
  const { session, account, holder } = arrival;
  const planFor = (manager: Manager) =>
    planScope(decision, { host: { ...host, scope: { ...host.scope, manager } }, policy, session, n, account, holder });
  let plan = planFor(host.scope.manager);
  const start = (scope?: OpenScope) =>
    log.write(commandStartRecord(n, request, decision, plan, scope, plan.manager !== host.scope.manager));
  const fail = (problem: string, scope?: OpenScope): NotBegun => {
    start(scope);
    log.write(notBegunRecord(n, "scope-failed", problem));
    tellRefusal(`the command cannot be given its limits: ${problem}`, arrival, ports);
    return { failed: "scope-failed", status: ExitStatus.unavailable };
  };
  const wrong = problemWith(plan, ports);
  if (wrong !== undefined) {
    start();
    log.write(notBegunRecord(n, "exec-failed", wrong));
    tellRefusal(cannotRun(wrong), arrival, ports);
    return { failed: "exec-failed", status: ExitStatus.config };
  }

  let scope = await openScope(plan, ports);
  // Where a sandbox is asked for there is no running without one.
  if (scope instanceof ScopeUnavailable && !host.scope.require && !plan.confinement) {
    tellRefusal(`no scope for this command, which has rlimits alone instead: ${scope.message}`, arrival, ports);
    plan = planFor("none");
    scope = await openScope(plan, ports);
  }
  if (scope instanceof ScopeUnavailable) return fail(scope.message);
  try {
    await log.settled(); // what the session began with, on its way while the scope was made
    const [missing] = limitsNotInForce(plan, scope);
    if (missing && host.scope.require) {
      return fail(`${missing.key} is ${missing.found ?? "not there"} instead of ${missing.asked}`, scope);
    }
    start(scope);
    const running = runToEnd(scope, plan, n, policy.session, arrival, log, ports);
    ports.recovery.begin(host.log, policy.team); // now that the command speaks, nobody waits for us
    return await running;
  } finally {
    await scope.release();
  }
}

/** Runs the command in its scope, puts its ending on record and tells the client what it ran into. */
export async function runToEnd(
  scope: OpenScope,
  plan: Plan,
  n: number,
  rules: SessionRules,
  arrival: Pick<Arrival, "session">,
  log: SessionLog,
  ports: Pick<SessionPorts, "clock" | "client" | "programs">,
): Promise<Ending> {
  const ending = await runCommand(scope, plan, rules, ports);
  log.write(commandEndRecord(n, ending));
  tellEnding(ending, plan, arrival, ports);
  return ending;
}

function openScope(plan: Plan, { scopes }: SessionPorts): Promise<OpenScope | ScopeUnavailable> {
  return scopes.open(plan).catch((error: unknown) => {
    if (error instanceof ScopeUnavailable) return error;
    throw error;
  });
}

function tellEnding(
  ending: Ending,
  plan: Plan,
  arrival: Pick<Arrival, "session">,
  ports: Pick<SessionPorts, "client">,
): void {
  const { usage, hits, cause, exit } = ending;
  const limit = (name: string) => plan.properties.find((property) => property.name === name)?.value;
  const inKernel = (name: string) => plan.expectations.find(({ property }) => property === name)?.value;
  const words = wordsForClient(
    cause,
    { memory: limit("MemoryMax"), tasks: limit("TasksMax"), runtime: limit("RuntimeMaxSec") },
    {
      memory: whoseLimit(hits.memory, usage.memory_peak_bytes, inKernel("MemoryMax")),
      tasks: whoseLimit(hits.tasks, usage.tasks_peak, inKernel("TasksMax")),
    },
    exit,
  );
  if (words) tellRefusal(words, arrival, ports);
}
