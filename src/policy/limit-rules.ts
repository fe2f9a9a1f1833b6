import { formatBytes } from "../units/bytes.ts";
import { type Bytes, formatPercent, type Percent } from "../units/quantities.ts";
import { LIMITS } from "./defaults.ts";
import type { Limits, TeamLimits } from "./policy.ts";
import { errorAt, type Finding } from "./problem.ts";

type Written = Partial<Record<keyof Limits, unknown>>;

/**
 * Limits that contradict each other. "infinity" contradicts nothing: it says "no bound of its own".
 * @param written the keys that stand in the file; the others have their defaults, and the message says so
 */
export function limitFindings(limits: Limits, team: TeamLimits, written: Written): readonly Finding[] {
  return [
    ...highAboveMax("limits", limits, written),
    ...highAboveMax("team_limits", team, team),
    ...(["TasksMax", "MemoryMax", "MemorySwapMax", "CPUQuota"] as const).flatMap((key) => {
      const [own, all] = [limits[key], team[key]];
      if (typeof own !== "number" || typeof all !== "number" || own <= all) return [];
      const origin = key in written ? "" : " (the default)";
      const message = `${print(key, own)}${origin} is above the team's ${print(key, all)}, so it can never be reached`;
      const at = key in written ? ["limits", key] : ["team_limits", key];
      return [errorAt(at, message, `write ${print(key, all)} or less under [limits], or raise it under [team_limits]`)];
    }),
  ];
}

function highAboveMax(table: string, limits: TeamLimits, written: Written): readonly Finding[] {
  const { MemoryHigh: high, MemoryMax: max } = limits;
  if (typeof high !== "number" || typeof max !== "number" || high <= max) return [];
  const origin = "MemoryMax" in written ? "" : " (the default)";
  const message = `${formatBytes(high)} is above MemoryMax ${formatBytes(max)}${origin}, so it can never slow anything down`;
  return [errorAt([table, "MemoryHigh"], message, "write a size below MemoryMax")];
}

function print(key: keyof TeamLimits, value: number): string {
  if (key === "CPUQuota") return formatPercent(value as Percent);
  return key === "TasksMax" ? String(value) : formatBytes(value as Bytes);
}

/** [limits] with the defaults for what it leaves out. */
export function withDefaultLimits(written: Limits | undefined): Limits {
  return { ...LIMITS, ...written };
}
