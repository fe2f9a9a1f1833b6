import type { SessionPorts } from "../session/ports.ts";
import type { Guest } from "./dispatch.ts";
import type { Fifo } from "./fifos.ts";
import type { Waiting } from "./late-records.ts";
import type { ConfinedShims } from "./shim/confined-shims.ts";
import type { Strays } from "./strays.ts";
import type { SystemManager } from "./systemd/system-manager.ts";

/** What all sessions of a supervisor share. */
export interface Supervisor {
  readonly manager: SystemManager;
  readonly confinedShims: ConfinedShims;
  readonly strays: Strays;
  /** The shims that are being served, by pid. */
  readonly guests: Map<number, Guest>;
  readonly admission: SessionPorts["admission"];
  readonly records: SessionPorts["records"];
  /** The last records of sessions that have ended, which the disk did not take. */
  readonly late: Waiting;
  readonly version: string;
  /** bin/nixgate, for `read-request`. */
  readonly program: string;
  /** bin/nixgate-shim, for services. */
  readonly shim: string;
  /** Where FIFOs and answers are: /run/nixgate. */
  readonly runDirectory: string;
  /** Where records are, and whether the journal gets a copy. */
  readonly log: { readonly directory: string; readonly journald: boolean };
  /** Whether the supervisor before this one, since the boot, was not stopped but killed. */
  readonly followsCrash: boolean;
  /** Says to whoever starts shims that they need not wait in vain. */
  ready(): void;
  warn(message: string, facts: object): void;
}

/** Where a team's shims find their answers. */
export const answersOf = ({ name }: Fifo, { runDirectory }: Pick<Supervisor, "runDirectory">): string =>
  `${runDirectory}/${name}/answers`;
