import type { EndpointName, ProgramName } from "../request/endpoints.ts";
import type { MemberName, TeamName } from "../units/ids.ts";
import type { Bytes, Milliseconds, Percent } from "../units/quantities.ts";
import type { Builds } from "./builds.ts";
import type { Limits, TeamLimits } from "./limits.ts";

export type { Limits, TeamLimits };

/** The most bytes and records that a team's refusals may use in a day. */
export interface RefusalBudget {
  readonly bytes: number;
  readonly records: number;
}

/** The space of a file system that must stay available. */
export type LeastFree = Bytes | `${number}%`;

/** The inodes of a file system that must stay free. */
export type LeastInodes = number | `${number}%`;

/** The bytes or inodes that must be free, of `all`. */
export const leastOf = (least: LeastInodes, all: number): number =>
  typeof least === "number" ? least : (all * Number.parseFloat(least)) / 100;

/** The resources whose pressure the kernel tells, by the names of the files in /proc/pressure. */
export const PRESSURES = ["cpu", "memory", "io"] as const;
export type Pressure = (typeof PRESSURES)[number];

export type Environment = Readonly<Record<string, string>>;

/** One `[[allow]]` of a policy. Records and explain use `name`: `allow[0]`, `allow[1]`, … in file order. */
export type AllowRule = EndpointRule | CustomRule;
export interface EndpointRule {
  readonly kind: "endpoint";
  readonly name: string;
  readonly endpoint: EndpointName;
  readonly stores: readonly string[];
  readonly processOps: boolean;
  /** Only for `store-serve-write`: the program runs without `--write`. */
  readonly readOnly: boolean;
  readonly environment: Environment;
}
export interface CustomRule {
  readonly kind: "custom";
  readonly name: string;
  /** The exact words of the request, with placeholders (src/request/placeholders.ts) for words that vary. */
  readonly request: readonly string[];
  /** The command that runs; the first word is an absolute path, others may be placeholders of `request`. */
  readonly run: readonly [string, ...string[]];
  readonly environment: Environment;
}

export interface SessionRules {
  readonly maxConcurrent: number;
  readonly maxStartsPerMinute: number;
  readonly maxCommands: number;
  readonly lineMaxBytes: Bytes;
  readonly readTimeout: Milliseconds;
  readonly clientGoneGrace: Milliseconds;
  readonly stopTimeout: Milliseconds;
}

export type StoreMode = { readonly mode: "daemon" } | { readonly mode: "dedicated"; readonly root: string };

export interface Member {
  readonly name: MemberName;
  readonly keys: readonly string[];
  readonly from: readonly string[];
  /** The names in certificates that are this member's. */
  readonly principals: readonly string[];
  /** The first moment without access, in milliseconds since 1970, a whole second; absent where access does not end. */
  readonly until?: number;
}

/** A team's policy, checked and with every default. */
export interface Policy {
  readonly team: TeamName;
  readonly description: string;
  readonly allow: readonly AllowRule[];
  readonly limits: Limits;
  readonly teamLimits: TeamLimits;
  readonly session: SessionRules;
  readonly store: StoreMode;
  readonly builds: Builds;
  readonly members: readonly Member[];
  /** The keys of the team's own CAs. */
  readonly ca: readonly string[];
}

export type Manager = "user" | "system" | "none";

/** nixgate.toml, checked and with every default. */
export interface HostConfig {
  readonly scope: {
    readonly manager: Manager;
    readonly require: boolean;
    /** Commands run in a service with a sandbox (systemd.exec(5)) instead of a plain scope. */
    readonly confine: boolean;
  };
  /** Absolute paths. */
  readonly programs: Readonly<Partial<Record<ProgramName, string>>>;
  readonly log: {
    readonly directory: string;
    readonly journald: boolean;
    readonly onFailure: "refuse" | "continue";
    /** The most records of a team's refused sessions in a day, and their most bytes. */
    readonly maxRefusalsPerDay: number;
    readonly maxRefusalBytesPerDay: Bytes;
  };
  readonly admission: {
    readonly maxSessions: number;
    readonly minAvailableMemory: Bytes;
    readonly maxLoadPerCpu: number;
    readonly minFreeLog: LeastFree;
    /** The highest pressure at which a session is admitted; a resource is absent where nothing bounds its pressure. */
    readonly maxPressure: Readonly<Partial<Record<Pressure, Percent>>>;
    /** Of the file system of /nix/store; 0 where nothing bounds it. */
    readonly minFreeStore: LeastFree;
    readonly minFreeStoreInodes: LeastInodes;
  };
  /** `contact`: whom a refused client may ask; one line. */
  readonly messages: { readonly contact?: string };
  /** The keys of the CAs that sign for members of every team. */
  readonly ca: readonly string[];
}

/** One problem of a configuration file. A `warning` never causes a refusal. */
export interface Problem {
  readonly severity: "error" | "warning";
  readonly path: string;
  /** 1-based; undefined where the problem concerns the whole file. */
  readonly line: number | undefined;
  readonly message: string;
  /** The remedy, as an imperative sentence without its full stop. */
  readonly fix: string;
  /** Set where the host could not read the file at that moment: nothing is known of the file itself. */
  readonly temporary?: true;
}

/** The result of reading configuration. It has a value only where no problem is an error. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T; readonly problems: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };
