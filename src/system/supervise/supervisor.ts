import type { SessionPorts } from "../../session/ports.ts";
import type { Fifo } from "./fifos.ts";
import type { Insiders } from "./insiders.ts";
import type { Waiting } from "./late-records.ts";
import type { Guest } from "./reception.ts";
import type { Strays } from "./strays.ts";
import type { SystemManager } from "./system-manager.ts";

/** What all sessions of a supervisor share. */
export interface Supervisor {
  readonly manager: SystemManager;
  readonly insiders: Insiders;
  readonly strays: Strays;
  /** The fronts that are being served, by pid. */
  readonly guests: Map<number, Guest>;
  readonly admission: SessionPorts["admission"];
  readonly records: SessionPorts["records"];
  /** The last records of sessions that have ended, which the disk did not take. */
  readonly late: Waiting;
  readonly version: string;
  /** bin/nixgate, for `front-line`. */
  readonly program: string;
  /** bin/nixgate-front, for services. */
  readonly front: string;
  /** Where FIFOs and answers are: /run/nixgate. */
  readonly runDirectory: string;
  /** Where records are, and whether the journal gets a copy. */
  readonly log: { readonly directory: string; readonly journald: boolean };
  /** Whether the supervisor before this one, since the boot, was not stopped but killed. */
  readonly followsCrash: boolean;
  /** Says to whoever starts fronts that they need not wait in vain. */
  ready(): void;
  warn(message: string, facts: object): void;
}

/** Where a team's fronts find their answers. */
export const answersOf = ({ name }: Fifo, { runDirectory }: Pick<Supervisor, "runDirectory">): string =>
  `${runDirectory}/${name}/answers`;
