import type { SessionPorts } from "../../session/ports.ts";
import type { SystemManager } from "./system-manager.ts";

/** What all sessions of a supervisor share. */
export interface Supervisor {
  readonly manager: SystemManager;
  readonly admission: SessionPorts["admission"];
  readonly records: SessionPorts["records"];
  readonly version: string;
  /** bin/nixgate, for `front-line`. */
  readonly program: string;
  /** Where FIFOs and answers are: /run/nixgate. */
  readonly runDirectory: string;
  /** Where records are, and whether the journal gets a copy. */
  readonly log: { readonly directory: string; readonly journald: boolean };
  /** Says to whoever starts fronts that they need not wait in vain. */
  ready(): void;
  warn(message: string, facts: object): void;
}
