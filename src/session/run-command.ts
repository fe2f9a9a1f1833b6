import { causeOf } from "../ending/cause.ts";
import type { Ending, Exit } from "../ending/ending.ts";
import type { SessionRules } from "../policy/policy.ts";
import type { Plan } from "../scope/plan.ts";
import { type Expectation, isInForce } from "../scope/properties.ts";
import type { Milliseconds } from "../units/quantities.ts";
import type { OpenScope, SessionPorts } from "./ports.ts";
import { type Announce, watchCommand } from "./watch-command.ts";

/** A limit that was asked for and is not in force. */
export interface NotApplied {
  /** With the table that it stands in: `limits.TasksMax`, `team_limits.MemoryMax`. */
  readonly key: string;
  readonly asked: string;
  readonly found: string | undefined;
}

/** Holds what was asked against what the kernel has: hosts accept limits and do not apply them (systemd#10581). */
export function limitsNotInForce(plan: Plan, scope: OpenScope): readonly NotApplied[] {
  const missing = (table: string, expected: readonly Expectation[], applied: OpenScope["applied"]) =>
    expected
      .filter((expectation) => !isInForce(expectation, applied[expectation.property]))
      .map(({ property, value }) => ({ key: `${table}.${property}`, asked: value, found: applied[property] }));
  return [
    ...missing("limits", plan.expectations, scope.applied),
    ...(scope.appliedToTeam ? missing("team_limits", plan.team.expectations, scope.appliedToTeam) : []),
  ];
}

/**
 * Runs the command in its scope to the very end: nothing but the holder is left, or what cannot be ended, and the holder is
 * let go, when this settles.
 */
export async function runCommand(
  scope: OpenScope,
  plan: Plan,
  rules: SessionRules,
  ports: Pick<SessionPorts, "clock" | "client" | "programs">,
  announce?: Announce,
): Promise<Ending> {
  const began = scope.begunAt ?? ports.clock.monotonic();
  let wall: number | undefined;
  scope.exited.then(() => {
    wall = ports.clock.monotonic() - began;
  });
  const { stopped, exit: seen, ...watched } = await watchCommand(scope, plan, rules, ports, announce);
  const exit = seen && executedOrNot(seen, plan, ports);
  const usage = scope.usage();
  const hits = scope.hits();
  void scope.release();
  return {
    ...watched,
    exit,
    cause: causeOf(exit, usage, stopped, hits),
    wallMs: Math.round(wall ?? ports.clock.monotonic() - began) as Milliseconds,
    usage,
    hits,
  };
}

/** What a shell, setpriv(1) and prlimit(1) exit with when execve(2) fails (XCU 2.8.2). */
const CANNOT_EXECUTE: ReadonlySet<number | undefined> = new Set([126, 127]);

/** The program may have gone between the look before the command and its execve(2); a command may exit so by itself. */
function executedOrNot(exit: Exit, plan: Plan, ports: Pick<SessionPorts, "programs">): Exit {
  if (exit.signal !== undefined || exit.notExecuted !== undefined || !CANNOT_EXECUTE.has(exit.code)) return exit;
  const wrong = problemWith(plan, ports);
  return wrong === undefined ? exit : { ...exit, notExecuted: wrong };
}

/** Why the plan's program cannot be executed, beginning with its path. */
export function problemWith({ argv: [program] }: Plan, ports: Pick<SessionPorts, "programs">): string | undefined {
  const problem = ports.programs.problemWith(program);
  return problem && `${program} ${problem.message}`;
}
