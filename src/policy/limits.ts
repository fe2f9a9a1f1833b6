import type { Bytes, Infinite, Milliseconds, Percent } from "../units/quantities.ts";

/** What the limits of each kind are in a policy that was read. `amount` is a size that has no "infinity". */
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

/** All that nixgate knows of one limit. A new limit is one row of LIMIT_ROWS and its rows in docs/configuration.md. */
export interface LimitRow {
  /** The key in a policy, and systemd's own name: systemd.resource-control(5), systemd.scope(5). */
  readonly name: string;
  readonly kind: LimitKind;
  /** The name on the bus where it is another one: org.freedesktop.systemd1(5). Its signature is `t` for every kind. */
  readonly bus?: string;
  /**
   * The cgroup v2 file that it is read back from (Documentation/admin-guide/cgroup-v2.rst). A limit without one is for
   * commands only, and nixgate keeps it itself.
   */
  readonly file?: string;
  /** What stands before the value in that file. */
  readonly prefix?: string;
  /** How systemd is told that a team's slice has none, and what its file then holds, where that is not the kind's. */
  readonly none?: { readonly value: string; readonly kernel: string };
  /** Its part without a cgroup: the option of prlimit(1) without `--`, and the row of /proc/PID/limits. */
  readonly rlimit?: { readonly option: string; readonly row: string };
  /** A command's above its team's is an error. */
  readonly withinTeams?: true;
  /** Above this limit of the same table it is an error: "…, so it can never slow anything down". */
  readonly notAbove?: { readonly limit: string; readonly because: string };
}

/**
 * The limits, in the order in which they are set and shown. RLIMIT_DATA counts private writable memory (Linux 4.7), which
 * is nearer to MemoryMax than RLIMIT_AS, where a program's mere reservations count. RLIMIT_NPROC counts the account's
 * threads, those of its other sessions too, and does not bind root.
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
    // any other would switch the controller on, which has its price
    none: { value: "", kernel: "default 100" },
  },
  { name: "RuntimeMaxSec", kind: "duration", bus: "RuntimeMaxUSec" },
] as const satisfies readonly LimitRow[];

type Row = (typeof LIMIT_ROWS)[number];
type CommandsOnly = Exclude<Row, { readonly file: string }>;

/** The limits of one command; a key that is absent sets nothing. */
export type Limits = { readonly [Each in Row as Each["name"]]?: Values[Each["kind"]] };
/** The limits of the slice around all of a team's sessions. */
export type TeamLimits = Omit<Limits, CommandsOnly["name"]>;

export type LimitValue = NonNullable<Limits[keyof Limits]>;

interface TypedRow extends LimitRow {
  readonly name: keyof Limits;
}
export const limitRows: readonly TypedRow[] = LIMIT_ROWS;
/** Those that a team's slice may have, too. */
export const teamLimitRows = limitRows.filter(
  (row): row is TypedRow & { name: keyof TeamLimits } => row.file !== undefined,
);
