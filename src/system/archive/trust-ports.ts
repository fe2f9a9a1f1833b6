import { openJournal } from "../journal/journal.ts";
import { readJournal } from "../journal/journal-reader.ts";
import { clock } from "../kernel/clock.ts";
import { ownMachine } from "../kernel/machine.ts";
import { breakLeases } from "./leases.ts";
import { measuring } from "./measure.ts";
import { removing } from "./remove-day.ts";
import { openSealStore } from "./seal-store.ts";

const hostAndBoot = () => {
  const { host, boot } = ownMachine();
  return { host, boot };
};

/** The system operations of the commands that seal or verify records, besides the archive. */
export const trustPorts = () => ({
  ...{ breakLeases, openSeals: openSealStore, measuring, removing, readJournal, machine: hostAndBoot() },
  elapsed: clock.monotonic,
  noJournald: () => openJournal().note,
});
