import { formatLimit } from "../format-limit.ts";
import { type Limits, type LimitValue, limitRows, type TeamLimits, teamLimitRows } from "../limits.ts";
import { errorAt, type PolicyFinding } from "../problem.ts";
import { LIMITS } from "../schema/defaults.ts";

type Written = Partial<Record<keyof Limits, unknown>>;

/**
 * Limits that contradict each other. "infinity" contradicts no limit, because it means "no limit".
 * @param written the keys in the file; the others have their defaults, and the message says so
 */
export function limitFindings(limits: Limits, team: TeamLimits, written: Written): readonly PolicyFinding[] {
  return [
    ...aboveAnother("limits", limits, written),
    ...aboveAnother("team_limits", team, team),
    ...teamLimitRows.flatMap(({ name, kind, withinTeams }) => {
      const [own, all] = [limits[name], team[name]];
      if (!withinTeams || typeof own !== "number" || typeof all !== "number" || own <= all) return [];
      const print = (value: LimitValue) => formatLimit(kind, value);
      const origin = name in written ? "" : " (the default)";
      const message = `${print(own)}${origin} is above the team's ${print(all)}, so it can never be reached`;
      const at = name in written ? ["limits", name] : ["team_limits", name];
      return [errorAt(at, message, `write ${print(all)} or less under [limits], or raise it under [team_limits]`)];
    }),
  ];
}

function aboveAnother(table: string, limits: Limits, written: Written): readonly PolicyFinding[] {
  return limitRows.flatMap(({ name, kind, notAbove }) => {
    if (!notAbove) return [];
    const most = notAbove.limit as keyof Limits;
    const [own, bound] = [limits[name], limits[most]];
    if (typeof own !== "number" || typeof bound !== "number" || own <= bound) return [];
    const origin = most in written ? "" : " (the default)";
    const above = `${formatLimit(kind, own)} is above ${most} ${formatLimit(kind, bound)}${origin}`;
    return [errorAt([table, name], `${above}, so ${notAbove.because}`, `write a size below ${most}`)];
  });
}

/** [limits] with the defaults for absent keys. */
export function withDefaultLimits(written: Limits | undefined): Limits {
  return { ...LIMITS, ...written };
}
