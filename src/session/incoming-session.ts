import type { Account } from "../scope/environment.ts";
import type { Pid } from "../units/ids.ts";
import type { ForcedCommand } from "./forced-command.ts";

/** The facts about a new session and its client. They are gathered once, before anything else happens. */
export interface IncomingSession {
  readonly forced: ForcedCommand;
  readonly arrived: ArrivalTime;
  readonly account: Account;
  readonly connection: Connection;
  readonly request: SessionRequest;
  /** Whether the client asked for a terminal. */
  readonly terminal: boolean;
  readonly machine: Machine;
  readonly process: NixgateProcess;
  /** The absolute path of bin/nixgate-holder. */
  readonly holder: string;
}

export interface ArrivalTime {
  /** Milliseconds since 1970. */
  readonly startedAt: number;
  /** The same moment in milliseconds of `Clock.monotonic`. All later times of the session are counted from it. */
  readonly arrivedAt: number;
  /**
   * How long the supervisor made this session wait for other sessions of its team, in milliseconds; absent where
   * nothing measures it.
   */
  readonly delayed?: number;
}

export interface Connection {
  readonly client?: SocketAddress;
  readonly server?: SocketAddress;
  readonly key?: ProvenKey;
}

/** The key that the client proved to own, as the record has it. */
export interface ProvenKey {
  /** The type of the key itself, also where a certificate was shown; absent where sshd does not say. */
  readonly type?: string;
  /** As ssh-keygen(1) -l prints it: `SHA256:…`. */
  readonly fingerprint: string;
  readonly certificate?: Certificate;
}

/** The certificate that the client showed for its key. Texts are cut and escaped. */
export interface Certificate {
  /** Absent, like the principals, where sshd does not say. */
  readonly id?: string;
  /** Decimal: the number has 64 bits. */
  readonly serial: string;
  /** The fingerprint of the CA's key. */
  readonly ca: string;
  readonly principals?: string[];
  /** RFC 3339, UTC; absent for a certificate that never expires. */
  readonly valid_before?: string;
}

export interface SocketAddress {
  readonly ip: string;
  readonly port: number;
}

/** The exact bytes of SSH_ORIGINAL_COMMAND, or the line loop where the client asked for a shell. */
export type SessionRequest = { readonly mode: "command"; readonly bytes: Uint8Array } | { readonly mode: "loop" };

/** `id` identifies the host, whatever its name; absent where the host has no /etc/machine-id. */
export interface Machine {
  readonly host: string;
  readonly boot: string;
  readonly id?: string | undefined;
}

/** `startedTicks`: the start of the process in ticks since boot; absent where /proc does not show it. */
export interface NixgateProcess {
  readonly pid: Pid;
  readonly startedTicks?: number | undefined;
  readonly version: string;
}
