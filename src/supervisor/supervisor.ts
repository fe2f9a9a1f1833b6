import type { SessionPorts } from "../session/ports.ts";
import type { Pid } from "../units/ids.ts";
import type { OutsideBuilds } from "./builds/outside-builds.ts";
import type { Fifo } from "./fifos.ts";
import type { IpcObjects } from "./ipc-objects.ts";
import type { LateRecordQueue } from "./late-records.ts";
import type { ServedShim } from "./served-shim.ts";
import type { ConfinedShims } from "./shim/confined-shims.ts";
import type { Strays } from "./strays.ts";
import type { SystemManager } from "./systemd/system-manager.ts";

/** The parts that all sessions of a supervisor share. */
export interface Supervisor {
  readonly manager: SystemManager;
  readonly confinedShims: ConfinedShims;
  readonly strays: Strays;
  readonly ipcObjects: IpcObjects;
  readonly outside: OutsideBuilds;
  /** The shims that are being served, by pid. */
  readonly guests: Map<Pid, ServedShim>;
  readonly admission: SessionPorts["admission"];
  readonly records: SessionPorts["records"];
  /** The last records of ended sessions that could not be written to the disk. */
  readonly late: LateRecordQueue;
  readonly version: string;
  /** bin/nixgate, for `read-request`. */
  readonly program: string;
  /** bin/nixgate-shim, for services. */
  readonly shim: string;
  /** The folder of FIFOs and answers: /run/nixgate. */
  readonly runDirectory: string;
  /** The folder of the records, and whether the journal gets a copy. */
  readonly log: { readonly directory: string; readonly journald: boolean };
  /** Whether the previous supervisor of this boot was killed instead of stopped. */
  readonly followsCrash: boolean;
  /** Tells new shims that the supervisor reads the FIFOs. */
  ready(): void;
  warn(message: string, facts: object): void;
}

/** The folder of the answers to a team's shims. */
export const answersOf = ({ name }: Fifo, { runDirectory }: Pick<Supervisor, "runDirectory">): string =>
  `${runDirectory}/${name}/answers`;
