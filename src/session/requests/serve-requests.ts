import { decide, type RequestMode } from "../../decision/decide.ts";
import type { Deny } from "../../decision/decision.ts";
import { sessionStatus, statusOf } from "../../ending/cause.ts";
import type { Cause, Ending } from "../../ending/ending.ts";
import { parseRequest } from "../../request/parse-request.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { memberName } from "../../units/ids.ts";
import type { Milliseconds } from "../../units/quantities.ts";
import { serveCommand } from "../command/serve-command.ts";
import { lockedOut, wordsOfStop } from "../locked.ts";
import { type Outcome, refusalLine, tellRefusal } from "../outcome.ts";
import type { Client, Interruption, LineBounds, NextLine, SessionPorts } from "../ports.ts";
import { denyRecord, refuseRecord } from "../records-of.ts";
import { ScopeUnavailable } from "../scope-unavailable.ts";
import type { Session } from "../session.ts";
import { greeting } from "./greeting.ts";

type Denial = Omit<Deny, "reason" | "trace" | "kind"> & {
  readonly reason: Deny["reason"] | "too-many-commands" | "read-timeout";
};

const MALFORMED: ReadonlySet<Denial["reason"]> = new Set(["malformed", "too-long", "read-timeout"]);

/** The exit statuses of sh after the signals that stand for these events. */
const INTERRUPTED = {
  "client-gone": statusOf({ signal: "SIGHUP" }),
  "killed-by-admin": statusOf({ signal: "SIGTERM" }),
};

/** The time from the end of sshd's pipes to the end of sshd itself. */
const SSHD_ENDS_WITHIN = 10 as Milliseconds;
/**
 * The time from the end of sshd to the signal for nixgate. At a shutdown systemd signals the processes of a connection one
 * after the other, and nixgate may see that sshd is gone before its own signal comes.
 */
const SIGNAL_WITHIN = 500 as Milliseconds;

const NO_LIMITS = { memory: undefined, tasks: undefined, runtime: undefined };

/** Serves the one request of a command session, or the lines of a loop until one of them ends it. */
export async function serveRequests(session: Session): Promise<Outcome> {
  const { log, ports } = session;
  const { policy, host } = session.configuration;
  const { mode } = session.incoming.request;
  let n = 0;
  let commands = 0;
  let last: Ending | undefined;

  const outcome = (exit: number, cause: Cause, denied = 0): Outcome => ({ exit, commands, denied, cause });
  const deny = (denial: Denial, bytes: Uint8Array): Outcome => {
    log.write(denyRecord(n, bytes, denial), { durable: true });
    tellRefusal(session, denial.message);
    return outcome(MALFORMED.has(denial.reason) ? ExitStatus.malformed : ExitStatus.denied, "exit", 1);
  };

  for await (const next of linesOf(session)) {
    if (next.kind === "unavailable") {
      tellRefusal(session, `the next request cannot be read within limits: ${next.problem}`);
      return outcome(ExitStatus.unavailable, "scope-failed");
    }
    if (next.kind === "interrupted") {
      const line = refusalLine(wordsOfStop(session, next.by, NO_LIMITS), session);
      if (!ports.client.tellNow(line) && next.by !== "client-gone") ports.client.tell(line);
      return outcome(INTERRUPTED[next.by], next.by);
    }
    if (next.kind === "killed") return outcome(statusOf({ signal: "SIGTERM" }), "signal");
    n += 1;
    if (next.kind === "end") return outcome(last ? sessionStatus(last) : ExitStatus.ok, last?.cause ?? "exit");
    if (next.kind === "bad") return deny({ rule: null, ...next.denial }, next.bytes);
    if (n > policy.session.maxCommands) {
      const message = `a session may make at most ${policy.session.maxCommands} requests`;
      return deny({ rule: null, reason: "too-many-commands", message }, next.bytes);
    }
    const request = parseRequest(next.bytes, policy.session.lineMaxBytes);
    const decision = decide(request, policy, host.programs, mode satisfies RequestMode);
    if (decision.kind === "deny") return deny(decision, next.bytes);
    if (decision.kind === "answer") {
      ports.client.answerStarted();
      continue;
    }
    log.publish(); // from here on `nixgate lock` finds the session; before, the session finds the lock
    const lock = session.lockNow();
    if (lock) {
      const refusal = lockedOut(lock);
      log.write(refuseRecord(refusal), { durable: true });
      tellRefusal(session, refusal.message);
      return outcome(refusal.status, "exit");
    }
    commands += 1;
    const ran = await serveCommand(session, { decision, bytes: next.bytes, n });
    if ("failed" in ran) return outcome(ran.status, ran.failed);
    last = ran;
    const ends = decision.exec || mode === "command" || ran.cause === "client-gone" || ran.cause === "killed-by-admin";
    if (ends) return outcome(sessionStatus(ran), ran.cause);
  }
  throw new Error("the requests ended without saying so");
}

type Line =
  | { readonly kind: "interrupted"; readonly by: Interruption }
  | { readonly kind: "unavailable"; readonly problem: string }
  | { readonly kind: "line"; readonly bytes: Uint8Array }
  | { readonly kind: "bad"; readonly bytes: Uint8Array; readonly denial: Omit<Denial, "rule"> }
  | { readonly kind: "killed" }
  | { readonly kind: "end" };

async function* linesOf(session: Session): AsyncGenerator<Line> {
  const { ports } = session;
  const { request, forced } = session.incoming;
  const { policy } = session.configuration;
  if (request.mode === "command") {
    yield { kind: "line", bytes: request.bytes };
    return;
  }
  const { lineMaxBytes: maxBytes, readTimeout: timeout } = policy.session;
  const objections = {
    "too-long": { reason: "too-long", message: `the request is longer than ${maxBytes} bytes` },
    timeout: { reason: "read-timeout", message: `no request within ${timeout / 1000} seconds` },
    end: { reason: "malformed", message: "the last request was not finished" },
  } as const;
  // Lix 2.93.0 sends its first line at once. A client that sends none is a person, and is greeted once.
  let first: Pick<LineBounds, "greeting"> = {
    greeting: greeting({ session: session.id, member: memberName(forced.member ?? "") }, policy),
  };
  for (;;) {
    const line = ports.requests.next({ maxBytes, timeout, ...first }).catch(scopeProblem);
    const next = await causeOfEnd(line, await orInterruption(line, ports.client), ports);
    if (next instanceof ScopeUnavailable) return yield { kind: "unavailable", problem: next.message };
    first = {};
    if (typeof next === "string") return yield { kind: "interrupted", by: next };
    const { kind, bytes } = next;
    if (kind === "line") yield { kind, bytes };
    else if (kind === "killed") yield { kind };
    else if (kind === "end" && bytes.length === 0) yield { kind };
    else yield { kind: "bad", bytes, denial: objections[kind] };
  }
}

function scopeProblem(error: unknown): ScopeUnavailable {
  if (error instanceof ScopeUnavailable) return error;
  throw error;
}

/** Where the client or the process that reads for it seems to be gone: whether an administrator or a signal ended it. */
async function causeOfEnd<Next extends NextLine | ScopeUnavailable>(
  line: Promise<Next>,
  first: Next | Interruption,
  { client, clock }: Pick<SessionPorts, "client" | "clock">,
): Promise<Next | Interruption> {
  const hasEnded = isOf("end", first);
  if (hasEnded) await new Promise<void>((done) => void clock.after(SSHD_ENDS_WITHIN, done));
  const isGone = first === "client-gone" || isOf("killed", first) || (hasEnded && client.isGone());
  if (!isGone) return first;
  let stop = () => {};
  let told: Next | Interruption = first;
  return new Promise<Next | Interruption>((resolve) => {
    stop = client.watch((event) => void (event === "killed-by-admin" && resolve(event)));
    void line.then((next) => {
      if (isOf("killed", next)) told = next;
    });
    clock.after(SIGNAL_WITHIN, () => resolve(told));
  }).finally(() => stop());
}

const isOf = (kind: NextLine["kind"], next: NextLine | ScopeUnavailable | Interruption): boolean =>
  typeof next === "object" && "kind" in next && next.kind === kind;

function orInterruption<Next>(next: Promise<Next>, client: Client): Promise<Next | Interruption> {
  let stop = () => {};
  const interrupted = new Promise<Interruption>((resolve) => {
    stop = client.watch(resolve);
  });
  return Promise.race([next, interrupted]).finally(() => stop());
}
