import { causeOf } from "../ending/cause.ts";
import type { Ending } from "../ending/ending.ts";
import type { SessionRules } from "../policy/policy.ts";
import type { Plan } from "../scope/plan.ts";
import { type Expectation, isInForce } from "../scope/properties.ts";
import type { Milliseconds } from "../units/quantities.ts";
import type { OpenScope, SessionPorts } from "./ports.ts";
import { watchCommand } from "./watch-command.ts";

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

/** Runs the command in its scope to the very end: nothing but the holder is left, and that is let go, when this settles. */
export async function runCommand(
  scope: OpenScope,
  plan: Plan,
  rules: SessionRules,
  ports: Pick<SessionPorts, "clock" | "client">,
): Promise<Ending> {
  const began = scope.begunAt ?? ports.clock.monotonic();
  let wall: number | undefined;
  scope.exited.then(() => {
    wall = ports.clock.monotonic() - began;
  });
  const { exit, stopped, leftovers } = await watchCommand(scope, plan, rules, ports);
  const usage = scope.usage();
  const hits = scope.hits();
  void scope.release();
  return {
    cause: causeOf(exit, usage, stopped, hits),
    exit,
    wallMs: Math.round(wall ?? 0) as Milliseconds,
    usage,
    hits,
    leftovers,
  };
}
