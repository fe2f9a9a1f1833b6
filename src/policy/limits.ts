import type { Bytes, Infinite, Milliseconds, Percent } from "../units/quantities.ts";

/** The value of each kind of limit in a parsed policy. `amount` is a size without "infinity". */
interface Values {
  readonly count: number | Infinite;
  readonly size: Bytes | Infinite;
  readonly "size or 0": Bytes | Infinite;
  readonly amount: Bytes;
  readonly percentage: Percent;
  /** 1 to 10000. */
  readonly weight: number;
  readonly duration: Milliseconds | Infinite;
}
export type LimitKind = keyof Values;

/** All facts about one limit. A new limit is one row of LIMIT_ROWS and its rows in docs/configuration.md. */
export interface LimitRow {
  /** The key in a policy, and systemd's own name: systemd.resource-control(5), systemd.scope(5). */
  readonly name: string;
  readonly kind: LimitKind;
  /** The name on the bus, where it differs: org.freedesktop.systemd1(5). Its signature is `t` for every kind. */
  readonly bus?: string;
  /**
   * The cgroup v2 file from which the limit is read back (Documentation/admin-guide/cgroup-v2.rst). A limit without a
   * file is for commands only, and nixgate itself enforces it.
   */
  readonly file?: string;
  /** The text before the value in that file. */
  readonly prefix?: string;
  /**
   * systemd's value for "no limit" of a team's slice, and the file's text for it, where these differ from the kind's.
   */
  readonly none?: { readonly value: string; readonly kernel: string };
  /**
   * The rlimit that replaces it without a cgroup: the option of prlimit(1) without `--`, and the row of
   * /proc/PID/limits.
   */
  readonly rlimit?: { readonly option: string; readonly row: string };
  /** A command's value above the team's is an error. */
  readonly withinTeams?: true;
  /** A value above this other limit of the same table is an error: "…, so it can never slow anything down". */
  readonly notAbove?: { readonly limit: string; readonly because: string };
}

/**
 * The limits, in the order in which they are set and shown. RLIMIT_DATA counts private writable memory (Linux 4.7). It
 * is nearer to MemoryMax than RLIMIT_AS, which also counts memory that a program only reserves. RLIMIT_NPROC counts the
 * account's threads, including those of its other sessions, and does not limit root.
 */
export const LIMIT_ROWS = [
  {
    name: "TasksMax",
    kind: "count",
    file: "pids.max",
    rlimit: { option: "nproc", row: "Max processes" },
    withinTeams: true,
  },
  {
    name: "MemoryMax",
    kind: "size",
    file: "memory.max",
    rlimit: { option: "data", row: "Max data size" },
    withinTeams: true,
  },
  {
    name: "MemoryHigh",
    kind: "size",
    file: "memory.high",
    notAbove: { limit: "MemoryMax", because: "it can never slow anything down" },
  },
  { name: "MemorySwapMax", kind: "size or 0", file: "memory.swap.max", withinTeams: true },
  {
    name: "MemoryMin",
    kind: "amount",
    file: "memory.min",
    withinTeams: true,
    notAbove: { limit: "MemoryMax", because: "the rest of it can never be used" },
  },
  { name: "CPUQuota", kind: "percentage", bus: "CPUQuotaPerSecUSec", file: "cpu.max", withinTeams: true },
  { name: "CPUWeight", kind: "weight", file: "cpu.weight" },
  {
    name: "IOWeight",
    kind: "weight",
    file: "io.weight",
    prefix: "default ",
    // any other value would enable the controller, which costs time
    none: { value: "", kernel: "default 100" },
  },
  { name: "RuntimeMaxSec", kind: "duration", bus: "RuntimeMaxUSec" },
] as const satisfies readonly LimitRow[];

type Row = (typeof LIMIT_ROWS)[number];
type CommandsOnly = Exclude<Row, { readonly file: string }>;

/** The limits of one command. An absent key sets no limit. */
export type Limits = { readonly [Each in Row as Each["name"]]?: Values[Each["kind"]] };
/** The limits of the slice around all of a team's sessions. */
export type TeamLimits = Omit<Limits, CommandsOnly["name"]>;

export type LimitValue = NonNullable<Limits[keyof Limits]>;

interface TypedRow extends LimitRow {
  readonly name: keyof Limits;
}
export const limitRows: readonly TypedRow[] = LIMIT_ROWS;
/** The limits that a team's slice may have too. */
export const teamLimitRows = limitRows.filter(
  (row): row is TypedRow & { name: keyof TeamLimits } => row.file !== undefined,
);
