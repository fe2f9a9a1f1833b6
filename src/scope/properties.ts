import type { Limits, Manager, TeamLimits } from "../policy/policy.ts";
import { formatBytes } from "../units/bytes.ts";
import { formatDuration } from "../units/durations.ts";
import { formatPercent, type Milliseconds } from "../units/quantities.ts";

/** A property as `systemd-run --property=` and systemd.resource-control(5) spell it. */
export interface Property {
  readonly name: string;
  readonly value: string;
}

/** What a cgroup v2 file must hold for a limit to be in force. */
export interface Expectation {
  readonly property: string;
  readonly file: string;
  readonly value: string;
}

/**
 * Whether the kernel has what was asked. Where a controller is not there nothing is bounded, which is what `max` and
 * the default weight ask for.
 */
export function isInForce({ value }: Expectation, found: string | undefined): boolean {
  return found === value || (found === undefined && NOTHING_ASKED.test(value));
}

/** The page size in bytes that memory.max and its like are rounded down to. */
const PAGE = 4096;
/** cpu.weight and io.weight where nothing sets them. */
const DEFAULT_WEIGHT = 100;
const NOTHING_ASKED = new RegExp(`^(?:max\\b.*|(?:default )?${DEFAULT_WEIGHT})$`);
/** Microseconds of cpu.max's period: systemd's default CPUQuotaPeriodSec. */
const CPU_PERIOD_US = 100_000;

/** systemd's own properties for a team's or a command's limits, in a fixed order. */
export function limitProperties(limits: Limits | TeamLimits): readonly Property[] {
  const runtime = "RuntimeMaxSec" in limits ? limits.RuntimeMaxSec : undefined;
  return [
    property("TasksMax", limits.TasksMax, String),
    property("MemoryMax", limits.MemoryMax, formatBytes),
    property("MemoryHigh", limits.MemoryHigh, formatBytes),
    property("MemorySwapMax", limits.MemorySwapMax, formatBytes),
    property("CPUQuota", limits.CPUQuota, formatPercent),
    property("CPUWeight", limits.CPUWeight, String),
    property("IOWeight", limits.IOWeight, String),
    property("RuntimeMaxSec", runtime, formatDuration),
  ].flat();
}

/**
 * A team's limits as its slice must have them between two sessions: a limit that was taken out of the policy is lifted,
 * hence every property has a value. Outside `systemd-run` the properties of a slice that exists are changed in place.
 */
export function sliceLimits(limits: TeamLimits): {
  properties: readonly Property[];
  expectations: readonly Expectation[];
} {
  const unbounded: TeamLimits = {
    TasksMax: "infinity",
    MemoryMax: "infinity",
    MemoryHigh: "infinity",
    MemorySwapMax: "infinity",
    CPUWeight: DEFAULT_WEIGHT,
  };
  const whole = { ...unbounded, ...limits };
  const noQuota = whole.CPUQuota === undefined;
  const noWeight = whole.IOWeight === undefined; // any other would switch the controller on, which has its price
  return {
    properties: [
      ...limitProperties(whole),
      ...(noQuota ? [{ name: "CPUQuota", value: "" }] : []),
      ...(noWeight ? [{ name: "IOWeight", value: "" }] : []),
    ],
    expectations: [
      ...expectations(whole),
      ...expectation("CPUQuota", "cpu.max", noQuota ? `max ${CPU_PERIOD_US}` : undefined),
      ...expectation("IOWeight", "io.weight", noWeight ? `default ${DEFAULT_WEIGHT}` : undefined),
    ],
  };
}

/**
 * The properties as systemd gets them. Its own RuntimeMaxSec= is for a nixgate that is stopped or gone: nixgate itself comes
 * first, because it can tell the client why before it sends SIGTERM.
 */
export function unitProperties(
  properties: readonly Property[],
  runtimeMax: Milliseconds | undefined,
): readonly Property[] {
  if (runtimeMax === undefined) return properties;
  const value = formatDuration((runtimeMax + LAST_WORDS_MS) as Milliseconds);
  return properties.map((property) => (property.name === "RuntimeMaxSec" ? { ...property, value } : property));
}

/** What systemd's own SIGKILL waits longer than the supervisor's: it would take the front as well, which has something to say. */
const LAST_WORDS_MS = 5000;

/** How a scope ends: SIGTERM, then after `stopTimeout` SIGKILL (systemd.kill(5), TimeoutStopSec of systemd.scope(5)). */
export function stopProperties(stopTimeout: Milliseconds, manager: Manager): readonly Property[] {
  const patience = manager === "system" ? stopTimeout + LAST_WORDS_MS : stopTimeout;
  return [{ name: "TimeoutStopSec", value: formatDuration(patience as Milliseconds) }];
}

/**
 * What the scope's cgroup files must say: limits are read back, because a host can accept them and not apply them
 * (cgroup v1 in use, a controller that is not delegated). Files: Documentation/admin-guide/cgroup-v2.rst.
 */
export function expectations(limits: Limits | TeamLimits): readonly Expectation[] {
  const size = (value: number | "infinity" | undefined) =>
    typeof value === "number" ? String(Math.floor(value / PAGE) * PAGE) : max(value);
  return [
    expectation("TasksMax", "pids.max", max(limits.TasksMax)),
    expectation("MemoryMax", "memory.max", size(limits.MemoryMax)),
    expectation("MemoryHigh", "memory.high", size(limits.MemoryHigh)),
    expectation("MemorySwapMax", "memory.swap.max", size(limits.MemorySwapMax)),
    expectation("CPUQuota", "cpu.max", limits.CPUQuota === undefined ? undefined : cpuMax(limits.CPUQuota)),
    expectation("CPUWeight", "cpu.weight", max(limits.CPUWeight)),
    expectation("IOWeight", "io.weight", limits.IOWeight === undefined ? undefined : `default ${limits.IOWeight}`),
  ].flat();
}

/**
 * The same without systemd: the rows of /proc/PID/limits (getrlimit(2)) that command-line.ts sets with prlimit(1).
 * What has no row there is not asked for: a limit that cannot be had without a cgroup is a warning of `check`.
 */
export function rlimitExpectations(limits: Limits): readonly Expectation[] {
  const soft = (value: number | "infinity" | undefined) => (value === "infinity" ? undefined : value?.toString());
  return [
    expectation("TasksMax", "Max processes", soft(limits.TasksMax)),
    expectation("MemoryMax", "Max data size", soft(limits.MemoryMax)),
  ].flat();
}

function cpuMax(percent: number): string {
  return `${Math.round((percent / 100) * CPU_PERIOD_US)} ${CPU_PERIOD_US}`;
}

function max(value: number | "infinity" | undefined): string | undefined {
  return value === "infinity" ? "max" : value?.toString();
}

function property<Value>(name: string, value: Value | undefined, print: (value: Value) => string): readonly Property[] {
  return value === undefined ? [] : [{ name, value: print(value) }];
}

function expectation(name: string, file: string, value: string | undefined): readonly Expectation[] {
  return value === undefined ? [] : [{ property: name, file, value }];
}
