import type { Plan } from "../../scope/plan.ts";
import { type Expectation, isInForce } from "../../scope/properties.ts";
import type { OpenScope } from "../ports.ts";

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
  if (controller === undefined) return `${key} does not exist instead of ${asked}`;
  return `${key} needs ${file} of cgroup v2, which is missing: the kernel or systemd has no ${controller} controller for it`;
}
