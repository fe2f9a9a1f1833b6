import type { EndpointName, ProgramName } from "../request/endpoints.ts";
import type { MemberName, TeamName } from "../units/ids.ts";
import type { Bytes, Milliseconds } from "../units/quantities.ts";
import type { Limits, TeamLimits } from "./limits.ts";

export type { Limits, TeamLimits };

/** What a team's refusals may cost on record in a day. */
export interface RefusalBudget {
  readonly bytes: number;
  readonly records: number;
}

/** How much of a file system is to stay available. */
export type LeastFree = Bytes | `${number}%`;

export type Environment = Readonly<Record<string, string>>;

/** One `[[allow]]` of a policy. `name` is how records and explain call it: `allow[0]`, `allow[1]`, … in file order. */
export type AllowRule = EndpointRule | CustomRule;
export interface EndpointRule {
  readonly kind: "endpoint";
  readonly name: string;
  readonly endpoint: EndpointName;
  readonly stores: readonly string[];
  readonly processOps: boolean;
  /** Of `store-serve-write`: runs without `--write`. */
  readonly readOnly: boolean;
  readonly environment: Environment;
}
export interface CustomRule {
  readonly kind: "custom";
  readonly name: string;
  /** The exact words of the request, and placeholders (src/request/placeholders.ts) for words that are new each time. */
  readonly request: readonly string[];
  /** What is executed for it; the first word is an absolute path, others may be placeholders of `request`. */
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
}

/** A team's policy, checked; every default is filled in. */
export interface Policy {
  readonly team: TeamName;
  readonly description: string;
  readonly allow: readonly AllowRule[];
  readonly limits: Limits;
  readonly teamLimits: TeamLimits;
  readonly session: SessionRules;
  readonly store: StoreMode;
  readonly members: readonly Member[];
}

export type Manager = "user" | "system" | "none";

/** nixgate.toml, checked; every default is filled in. */
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
    /** Records that a team's refused sessions may make in a day, and their bytes. */
    readonly maxRefusalsPerDay: number;
    readonly maxRefusalBytesPerDay: Bytes;
  };
  readonly admission: {
    readonly maxSessions: number;
    readonly minAvailableMemory: Bytes;
    readonly maxLoadPerCpu: number;
    readonly minFreeLog: LeastFree;
  };
}

/** One thing wrong with a configuration file. `warning` never refuses anything. */
export interface Problem {
  readonly severity: "error" | "warning";
  readonly path: string;
  /** 1-based; undefined where the whole file is meant. */
  readonly line: number | undefined;
  readonly message: string;
  /** The remedy, as an imperative sentence without its full stop. */
  readonly fix: string;
}

/** What a reader of configuration gives back: the value only where no problem is an error. */
export type Checked<T> =
  | { readonly ok: true; readonly value: T; readonly problems: readonly Problem[] }
  | { readonly ok: false; readonly problems: readonly Problem[] };
