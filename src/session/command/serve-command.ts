import type { Allow } from "../../decision/decision.ts";
import type { Ending } from "../../ending/ending.ts";
import { type Whose, whoseLimit } from "../../ending/limit-hits.ts";
import { cannotRun, type LimitWords, stopWords, survivorWords, wordsForClient } from "../../ending/words.ts";
import type { Manager, SessionRules } from "../../policy/policy.ts";
import type { LimitOf } from "../../record/vocabulary.ts";
import { type Plan, planScope } from "../../scope/plan.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import type { Arrival, Configuration } from "../arrival.ts";
import { refusalLine, tellClient } from "../outcome.ts";
import type { OpenScope, SessionPorts } from "../ports.ts";
import { commandEndRecord, commandStartRecord, notBegunRecord } from "../records-of.ts";
import { ScopeUnavailable } from "../scope-unavailable.ts";
import type { SessionLog } from "../session-log.ts";
import { limitsNotInForce, problemWith, runCommand, whyNotInForce } from "./run-command.ts";
import { type Announce, GIVES_UP_AFTER } from "./watch-command.ts";

type Admitted = Extract<Configuration, { ok: true }>;

/** The reason why a command was not started, and the exit status of its session. */
export interface NotBegun {
  readonly failed: "scope-failed" | "exec-failed";
  readonly status: ExitStatus;
}

/** Serves one allowed request: plan, scope, command, ending, records. */
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
    tellClient(`the command cannot be given its limits: ${problem}`, arrival, ports);
    return { failed: "scope-failed", status: ExitStatus.unavailable };
  };
  const wrong = problemWith(plan, ports);
  if (wrong !== undefined) {
    start();
    log.write(notBegunRecord(n, "exec-failed", wrong));
    tellClient(cannotRun(wrong), arrival, ports);
    return { failed: "exec-failed", status: ExitStatus.config };
  }

  let scope = await openScope(plan, ports);
  // A command that requires a sandbox never runs without one.
  if (scope instanceof ScopeUnavailable && !host.scope.require && !plan.confinement) {
    tellClient(`no scope for this command, which has rlimits alone instead: ${scope.message}`, arrival, ports);
    plan = planFor("none");
    scope = await openScope(plan, ports);
  }
  if (scope instanceof ScopeUnavailable) return fail(scope.message);
  try {
    await log.settled(); // the first records were being written while the scope was made
    const [missing] = limitsNotInForce(plan, scope);
    if (missing && host.scope.require) {
      return fail(whyNotInForce(missing), scope);
    }
    start(scope);
    const running = runToEnd(scope, plan, n, policy.session, arrival, log, ports);
    // the command may answer the client from here on, so the recovery delays nobody
    ports.recovery.begin(host.log, policy.team);
    return await running;
  } finally {
    await scope.release();
  }
}

/** Runs the command in its scope, records its ending and tells the client why it was stopped. */
export async function runToEnd(
  scope: OpenScope,
  plan: Plan,
  n: number,
  rules: SessionRules,
  arrival: Pick<Arrival, "session">,
  log: SessionLog,
  ports: Pick<SessionPorts, "clock" | "client" | "programs">,
): Promise<Ending> {
  let isTold = false;
  const announce: Announce = (why) => {
    const line = refusalLine(stopWords(why, limitWords(plan)), arrival);
    isTold = ports.client.tellNow(plan.argv.includes("--stdio") ? `${line}\n${forBuildHook(line)}` : line);
    return isTold;
  };
  const ending = await runCommand(scope, plan, rules, ports, announce);
  log.write(commandEndRecord(n, ending, limitOf(ending, plan)));
  if (!isTold && ending.cause !== "client-gone") tellEnding(ending, plan, arrival, ports);
  tellSurvivors(ending, arrival, log, ports);
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
  const { cause, exit } = ending;
  const words = wordsForClient(cause, limitWords(plan), whoseLimits(ending, plan), exit);
  if (words) tellClient(words, arrival, ports);
}

/**
 * Repeats the line in the log format of Nix's own programs. Over ssh-ng, a client's build hook forwards no other stderr
 * (DerivationGoal::handleChildOutput() of Nix 2.8 to 2.26). Spaces are escaped, so that a search of a log finds the
 * line once.
 */
function forBuildHook(line: string): string {
  const text = JSON.stringify(line).replaceAll(" ", "\\u0020");
  return `@nix {"action":"msg","level":0,"msg":${text}}`;
}

function limitWords(plan: Plan): LimitWords {
  const limit = (name: string) => plan.properties.find((property) => property.name === name)?.value;
  return { memory: limit("MemoryMax"), tasks: limit("TasksMax"), runtime: limit("RuntimeMaxSec") };
}

function whoseLimits({ usage, hits }: Ending, plan: Plan): { readonly memory: Whose; readonly tasks: Whose } {
  const inKernel = (name: string) => plan.expectations.find(({ property }) => property === name)?.value;
  return {
    memory: whoseLimit(hits.memory, usage.memory_peak_bytes, inKernel("MemoryMax")),
    tasks: whoseLimit(hits.tasks, usage.tasks_peak, inKernel("TasksMax")),
  };
}

function limitOf(ending: Ending, plan: Plan): LimitOf | undefined {
  const kind = { oom: "memory", "tasks-limit": "tasks" } as const;
  if (ending.cause !== "oom" && ending.cause !== "tasks-limit") return undefined;
  const whose = whoseLimits(ending, plan)[kind[ending.cause]];
  return whose === "command" ? "own" : whose;
}

/** Tells the client how many processes are still alive, and the administrator all known details of them. */
function tellSurvivors(
  { survivors }: Ending,
  arrival: Pick<Arrival, "session">,
  log: SessionLog,
  ports: Pick<SessionPorts, "client">,
): void {
  if (survivors.length === 0) return;
  const seconds = GIVES_UP_AFTER / 1000;
  log.tellJournal(`still alive ${seconds} s after SIGKILL: ${survivors.map(survivorWords).join(", ")}`);
  const count = survivors.length === 1 ? "1 process" : `${survivors.length} processes`;
  tellClient(`${count} of the command could not be ended`, arrival, ports);
}
