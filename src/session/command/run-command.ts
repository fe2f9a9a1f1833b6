import { causeOf } from "../../ending/cause.ts";
import type { Ending, Exit } from "../../ending/ending.ts";
import type { SessionRules } from "../../policy/policy.ts";
import type { Plan } from "../../scope/plan.ts";
import { type Expectation, isInForce } from "../../scope/properties.ts";
import type { Milliseconds } from "../../units/quantities.ts";
import type { OpenScope, SessionPorts } from "../ports.ts";
import { type Announce, watchCommand } from "./watch-command.ts";

/** A limit that was asked for and is not in force. */
export interface NotApplied {
  /** With the table that it stands in: `limits.TasksMax`, `team_limits.MemoryMax`. */
  readonly key: string;
  readonly asked: string;
  readonly found: string | undefined;
  /** Of the cgroup; a row of /proc/PID/limits where there is none. */
  readonly file: string;
}

/** Holds what was asked against what the kernel has: hosts accept limits and do not apply them (systemd#10581). */
export function limitsNotInForce(plan: Plan, scope: OpenScope): readonly NotApplied[] {
  const missing = (table: string, expected: readonly Expectation[], applied: OpenScope["applied"]) =>
    expected
      .filter((expectation) => !isInForce(expectation, applied[expectation.property]))
      .map(({ property, value, file }) => ({
        key: `${table}.${property}`,
        asked: value,
        found: applied[property],
        file,
      }));
  return [
    ...missing("limits", plan.expectations, scope.applied),
    ...(scope.appliedToTeam ? missing("team_limits", plan.team.expectations, scope.appliedToTeam) : []),
  ];
}

/** Why a limit is not in force, in words. A file that the cgroup lacks is one of a controller that it lacks (cgroups(7)). */
export function whyNotInForce({ key, asked, found, file }: NotApplied): string {
  if (found !== undefined) return `${key} is ${found} instead of ${asked}`;
  const [, controller] = /^(memory|pids|cpu|io)\./.exec(file) ?? [];
  if (controller === undefined) return `${key} is not there instead of ${asked}`;
  return `${key} needs ${file} of cgroup v2, which is not there: the kernel or systemd has no ${controller} controller for it`;
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
  // Without a cgroup a process may have left unseen: what was not found is no count.
  const seenAll = scope.isolation !== "process" || watched.leftovers > 0;
  const usage = scope.usage();
  const hits = scope.hits();
  void scope.release();
  return {
    ...watched,
    leftovers: seenAll ? watched.leftovers : undefined,
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
