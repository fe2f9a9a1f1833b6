import { causeOf } from "../ending/cause.ts";
import type { Ending } from "../ending/ending.ts";
import type { SessionRules } from "../policy/policy.ts";
import type { Plan } from "../scope/plan.ts";
import type { Milliseconds } from "../units/quantities.ts";
import type { OpenScope, SessionPorts } from "./ports.ts";
import { watchCommand } from "./watch-command.ts";

/** A limit that was asked for and is not in force. */
export interface NotApplied {
  readonly property: string;
  readonly asked: string;
  readonly found: string | undefined;
}

/** Holds what was asked against what the kernel has: hosts accept limits and do not apply them (systemd#10581). */
export function limitsNotInForce(plan: Plan, scope: OpenScope): readonly NotApplied[] {
  return plan.expectations
    .map(({ property, value }) => ({ property, asked: value, found: scope.applied[property] }))
    .filter(({ asked, found }) => asked !== found);
}

/** Runs the command in its scope to the very end: the scope is empty and gone when this settles. */
export async function runCommand(
  scope: OpenScope,
  plan: Plan,
  rules: SessionRules,
  ports: Pick<SessionPorts, "clock" | "client">,
): Promise<Ending> {
  const began = ports.clock.monotonic();
  let wall: number | undefined;
  scope.exited.then(() => {
    wall = ports.clock.monotonic() - began;
  });
  const { exit, stopped, leftovers } = await watchCommand(scope, plan, rules, ports);
  const usage = scope.usage();
  scope.release();
  return {
    cause: causeOf(exit, usage, stopped),
    exit,
    wallMs: Math.round(wall ?? 0) as Milliseconds,
    usage,
    leftovers,
  };
}
