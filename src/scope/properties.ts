import { formatLimit } from "../policy/format-limit.ts";
import { type LimitKind, type LimitRow, type LimitValue, limitRows, teamLimitRows } from "../policy/limits.ts";
import type { Limits, Manager, TeamLimits } from "../policy/policy.ts";
import { formatDuration } from "../units/durations.ts";
import type { Milliseconds } from "../units/quantities.ts";

/** A property in the spelling of `systemd-run --property=` and systemd.resource-control(5). */
export interface Property {
  readonly name: string;
  readonly value: string;
}

/** The value of a cgroup v2 file when a limit is in force. */
export interface Expectation {
  readonly property: string;
  readonly file: string;
  readonly value: string;
}

/** The page size in bytes. The kernel rounds memory.max and similar limits down to it. */
const PAGE = 4096;
/** The period of cpu.max in microseconds: systemd's default CPUQuotaPeriodSec. */
const CPU_PERIOD_US = 100_000;
/** The default of cpu.weight and io.weight. */
const DEFAULT_WEIGHT = "100";

/** The text of a number of each kind in its cgroup file; "infinity" is `max` there. */
const IN_KERNEL: Readonly<Record<LimitKind, (value: number) => string>> = {
  count: String,
  size: wholePages,
  "size or 0": wholePages,
  amount: wholePages,
  percentage: (percent) => `${Math.round((percent / 100) * CPU_PERIOD_US)} ${CPU_PERIOD_US}`,
  weight: String,
  duration: String,
};

/** systemd's value for "no limit", and the kernel's text for it. */
const NONE: Readonly<Record<LimitKind, { readonly value: string; readonly kernel: string }>> = {
  count: { value: "infinity", kernel: "max" },
  size: { value: "infinity", kernel: "max" },
  "size or 0": { value: "infinity", kernel: "max" },
  amount: { value: "0", kernel: "0" },
  percentage: { value: "", kernel: `max ${CPU_PERIOD_US}` },
  weight: { value: DEFAULT_WEIGHT, kernel: DEFAULT_WEIGHT },
  duration: { value: "infinity", kernel: "max" },
};
const noneOf = ({ kind, none = NONE[kind] }: Pick<LimitRow, "kind" | "none">) => none;
const NONE_BY_NAME: ReadonlyMap<string, string> = new Map(limitRows.map((row) => [row.name, noneOf(row).kernel]));
const NOTHING_ASKED = new RegExp(`^(?:max\\b.*|(?:default )?${DEFAULT_WEIGHT})$`);

/**
 * Whether the kernel has the expected value. Without the controller nothing is limited, so an expectation of `max` or
 * of the default weight is met.
 */
export function isInForce({ property, value }: Expectation, found: string | undefined): boolean {
  const nothingAsked = NOTHING_ASKED.test(value) || value === NONE_BY_NAME.get(property);
  return found === value || (found === undefined && nothingAsked);
}

const OF_CGROUP: ReadonlySet<string> = new Set(teamLimitRows.map(({ name }) => name));
/** Whether a property is a limit of a cgroup, which a slice can have. */
export const isOfCgroup = (name: string): boolean => OF_CGROUP.has(name);

/** systemd's own properties for a team's or a command's limits, in a fixed order. */
export function limitProperties(limits: Limits | TeamLimits): readonly Property[] {
  return given(limits).map(({ row, value }) => ({ name: row.name, value: formatLimit(row.kind, value) }));
}

/**
 * A team's limits for its slice. Every property has a value, so that a limit removed from the policy is lifted. Outside
 * `systemd-run` systemd changes the properties of an existing slice in place.
 */
export function sliceLimits(limits: TeamLimits): {
  properties: readonly Property[];
  expectations: readonly Expectation[];
} {
  const rows = teamLimitRows.map((row) => {
    const value = limits[row.name];
    const { value: none, kernel } = noneOf(row);
    return {
      property: { name: row.name, value: value === undefined ? none : formatLimit(row.kind, value) },
      expectation: {
        property: row.name,
        file: row.file ?? "",
        value: value === undefined ? kernel : inKernel(row, value),
      },
    };
  });
  // Properties that reset a limit come last.
  const ordered = [
    ...rows.filter(({ property }) => property.value !== ""),
    ...rows.filter(({ property }) => property.value === ""),
  ];
  return {
    properties: ordered.map(({ property }) => property),
    expectations: ordered.map(({ expectation }) => expectation),
  };
}

/**
 * The properties as systemd gets them. systemd's RuntimeMaxSec= acts only where nixgate is stopped or gone. nixgate
 * itself acts first, because it tells the client why before it sends SIGTERM.
 */
export function unitProperties(
  properties: readonly Property[],
  runtimeMax: Milliseconds | undefined,
): readonly Property[] {
  if (runtimeMax === undefined) return properties;
  const value = formatDuration((runtimeMax + LAST_WORDS_MS) as Milliseconds);
  return properties.map((property) => (property.name === "RuntimeMaxSec" ? { ...property, value } : property));
}

/**
 * systemd's SIGKILL comes this much later than the supervisor's. systemd would also kill the shim, which still has to
 * report.
 */
const LAST_WORDS_MS = 5000;

/**
 * The properties for the end of a scope: SIGTERM, then SIGKILL after `stopTimeout` (systemd.kill(5), TimeoutStopSec of
 * systemd.scope(5)).
 */
export function stopProperties(stopTimeout: Milliseconds, manager: Manager): readonly Property[] {
  const endTimeout = manager === "system" ? stopTimeout + LAST_WORDS_MS : stopTimeout;
  return [{ name: "TimeoutStopSec", value: formatDuration(endTimeout as Milliseconds) }];
}

/**
 * The expected values of the scope's cgroup files. nixgate reads limits back, because a host can accept them and not
 * apply them (cgroup v1 in use, a controller that is not delegated).
 */
export function expectations(limits: Limits | TeamLimits): readonly Expectation[] {
  return given(limits).flatMap(({ row, value }) =>
    row.file === undefined ? [] : [{ property: row.name, file: row.file, value: inKernel(row, value) }],
  );
}

/**
 * The same without systemd: the rows of /proc/PID/limits (getrlimit(2)) that command-line.ts sets with prlimit(1). A
 * limit without such a row needs a cgroup and is not expected; `check` warns of it.
 */
export function rlimitExpectations(limits: Limits): readonly Expectation[] {
  return given(limits).flatMap(({ row: { name, rlimit }, value }) =>
    rlimit === undefined || value === "infinity" ? [] : [{ property: name, file: rlimit.row, value: String(value) }],
  );
}

/** The rows of the limits that are set. */
const given = (limits: Limits) =>
  limitRows.flatMap((row) => {
    const value = limits[row.name];
    return value === undefined ? [] : [{ row, value }];
  });

const inKernel = ({ kind, prefix = "" }: LimitRow, value: LimitValue): string =>
  value === "infinity" ? "max" : prefix + IN_KERNEL[kind](value);

function wholePages(bytes: number): string {
  return String(Math.floor(bytes / PAGE) * PAGE);
}
