import type { PolicySource } from "../policy/load.ts";
import type { HostConfig, Policy } from "../policy/policy.ts";
import type { Account } from "../scope/environment.ts";
import type { ExitStatus } from "../units/exit-status.ts";
import type { MemberName, SessionId, TeamName } from "../units/ids.ts";

/** A session as it arrives: who, from where, asking how; gathered once, before anything is done. */
export interface Arrival {
  readonly session: SessionId;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** The same moment, in milliseconds of `Clock.monotonic`: everything later in the session is counted from it. */
  readonly arrivedAt: number;
  /** Undefined where the forced command names no valid team: the session is then on record under `_unassigned`. */
  readonly team: TeamName | undefined;
  readonly member: MemberName | undefined;
  readonly account: Account;
  readonly connection: Connection;
  readonly request: Asked;
  /** `id`: which host it is, under any name; absent where it has no /etc/machine-id. */
  readonly machine: { readonly host: string; readonly boot: string; readonly id?: string | undefined };
  /** `startedTicks`: when the process began, in ticks since boot; absent where /proc does not say. */
  readonly process: {
    readonly pid: number;
    readonly startedTicks?: number | undefined;
    readonly version: string;
  };
  /** The absolute path of bin/nixgate-holder. */
  readonly holder: string;
  /** How long the supervisor left it waiting for others of its team, in milliseconds. */
  readonly delayed?: number;
  readonly configuration: Configuration;
}

export interface Endpoint {
  readonly ip: string;
  readonly port: number;
}

export interface Connection {
  readonly client?: Endpoint;
  readonly server?: Endpoint;
  readonly key?: { readonly type: string; readonly fingerprint: string };
}

/** SSH_ORIGINAL_COMMAND's very bytes, or the line loop where a shell was asked for. */
export type Asked = { readonly mode: "command"; readonly bytes: Uint8Array } | { readonly mode: "loop" };

/** What the session may go by: a policy, or the reason why there is none. */
export type Configuration =
  | {
      readonly ok: true;
      /** The configuration folder, absolute. */
      readonly directory: string;
      readonly host: HostConfig;
      readonly policy: Policy;
      readonly source: PolicySource;
    }
  | {
      readonly ok: false;
      readonly directory: string;
      /** Where the host's own file could be read: the refusal then goes where it says. */
      readonly host: HostConfig | undefined;
      readonly source?: PolicySource;
      readonly refusal: SessionRefusal;
    };

export type RefuseReason =
  | "closed"
  | "terminal"
  | "policy-invalid"
  | "unknown-team"
  | "unknown-member"
  | "not-by-sshd"
  | "team-busy"
  | "host-busy"
  | "rate"
  | "log-full"
  | "scope-unavailable"
  | "log-unavailable";

/** The whole session is refused before any request. */
export interface SessionRefusal {
  readonly reason: RefuseReason;
  /** In plain words, lower case, without text of the client's. */
  readonly message: string;
  readonly status: ExitStatus;
}
