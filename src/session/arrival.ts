import type { PolicySource } from "../policy/load.ts";
import type { HostConfig, Policy } from "../policy/policy.ts";
import type { Account } from "../scope/environment.ts";
import type { ExitStatus } from "../units/exit-status.ts";
import type { MemberName, SessionId, TeamName } from "../units/ids.ts";

/**
 * The facts about a new session: account, connection, request. They are gathered once, before anything else happens.
 */
export interface Arrival {
  readonly session: SessionId;
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** The same moment in milliseconds of `Clock.monotonic`. All later times of the session are counted from it. */
  readonly arrivedAt: number;
  /** Undefined where the forced command names no valid team. The session is then recorded under `_unassigned`. */
  readonly team: TeamName | undefined;
  readonly member: MemberName | undefined;
  readonly account: Account;
  readonly connection: Connection;
  readonly request: Asked;
  /** `id` identifies the host, whatever its name; absent where the host has no /etc/machine-id. */
  readonly machine: { readonly host: string; readonly boot: string; readonly id?: string | undefined };
  /** `startedTicks`: the start of the process in ticks since boot; absent where /proc does not show it. */
  readonly process: {
    readonly pid: number;
    readonly startedTicks?: number | undefined;
    readonly version: string;
  };
  /** The absolute path of bin/nixgate-holder. */
  readonly holder: string;
  /** How long the supervisor made this session wait for other sessions of its team, in milliseconds. */
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
  readonly key?: ProvenKey;
}

/** The key that the client proved to own, as the record has it. */
export interface ProvenKey {
  /** The type of the key itself, also where a certificate was shown. */
  readonly type: string;
  /** As ssh-keygen(1) -l prints it: `SHA256:…`. */
  readonly fingerprint: string;
  readonly certificate?: Certificate;
}

/** The certificate that the client showed for its key. Texts are cut and escaped. */
export interface Certificate {
  readonly id: string;
  /** Decimal: the number has 64 bits. */
  readonly serial: string;
  /** The fingerprint of the CA's key. */
  readonly ca: string;
  readonly principals: string[];
  /** RFC 3339, UTC; absent for a certificate that never expires. */
  readonly valid_before?: string;
}

/** The exact bytes of SSH_ORIGINAL_COMMAND, or the line loop where the client asked for a shell. */
export type Asked = { readonly mode: "command"; readonly bytes: Uint8Array } | { readonly mode: "loop" };

/** The policy that the session is judged by, or the reason why there is none. */
export type Configuration =
  | {
      readonly ok: true;
      /** The absolute path of the configuration folder. */
      readonly directory: string;
      readonly host: HostConfig;
      readonly policy: Policy;
      readonly source: PolicySource;
    }
  | {
      readonly ok: false;
      readonly directory: string;
      /** Set where nixgate.toml could be read: the refusal is then recorded in its log folder. */
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
  | "member-expired"
  | "not-by-sshd"
  | "team-busy"
  | "host-busy"
  | "rate"
  | "log-full"
  | "scope-unavailable"
  | "log-unavailable";

/** The refusal of a whole session before its first request. */
export interface SessionRefusal {
  readonly reason: RefuseReason;
  /** Plain words in lower case. It holds no text from the client. */
  readonly message: string;
  readonly status: ExitStatus;
}
