import { causeOf } from "../../ending/cause.ts";
import type { Ending, Exit } from "../../ending/ending.ts";
import type { SessionRules } from "../../policy/policy.ts";
import type { Plan } from "../../scope/plan.ts";
import { type Expectation, isInForce } from "../../scope/properties.ts";
import type { Milliseconds } from "../../units/quantities.ts";
import type { OpenScope, SessionPorts } from "../ports.ts";
import { type Announce, watchCommand } from "./watch-command.ts";

/** A configured limit that the kernel does not enforce. */
export interface NotApplied {
  /** The key with its table: `limits.TasksMax`, `team_limits.MemoryMax`. */
  readonly key: string;
  readonly asked: string;
  readonly found: string | undefined;
  /** The file in the cgroup; a row of /proc/PID/limits where there is no cgroup. */
  readonly file: string;
}

/**
 * Compares the configured limits with those of the kernel: hosts accept limits and do not apply them (systemd#10581).
 */
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

/** The reason why a limit is not in force. A file is missing where the cgroup lacks its controller (cgroups(7)). */
export function whyNotInForce({ key, asked, found, file }: NotApplied): string {
  if (found !== undefined) return `${key} is ${found} instead of ${asked}`;
  const [, controller] = /^(memory|pids|cpu|io)\./.exec(file) ?? [];
  if (controller === undefined) return `${key} is not there instead of ${asked}`;
  return `${key} needs ${file} of cgroup v2, which is not there: the kernel or systemd has no ${controller} controller for it`;
}

/**
 * Runs the command in its scope to the end. The promise settles when only the holder, or processes that cannot be
 * ended, are left, and the holder was released.
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
  // Without a cgroup, a process may have left unseen: then 0 found processes do not prove that none was left.
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

/** The exit statuses of a shell, setpriv(1) and prlimit(1) when execve(2) fails (XCU 2.8.2). */
const CANNOT_EXECUTE: ReadonlySet<number | undefined> = new Set([126, 127]);

/**
 * The program may have vanished between the check and execve(2). A command may also exit with such a status by itself.
 */
function executedOrNot(exit: Exit, plan: Plan, ports: Pick<SessionPorts, "programs">): Exit {
  if (exit.signal !== undefined || exit.notExecuted !== undefined || !CANNOT_EXECUTE.has(exit.code)) return exit;
  const wrong = problemWith(plan, ports);
  return wrong === undefined ? exit : { ...exit, notExecuted: wrong };
}

/** The reason why the plan's program cannot be executed. It begins with the path. */
export function problemWith({ argv: [program] }: Plan, ports: Pick<SessionPorts, "programs">): string | undefined {
  const problem = ports.programs.problemWith(program);
  return problem && `${program} ${problem.message}`;
}
