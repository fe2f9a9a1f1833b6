import { openJournal } from "../journal/journal.ts";
import { readJournal } from "../journal/journal-reader.ts";
import { ownMachine } from "../kernel/machine.ts";
import { breakLeases } from "./leases.ts";
import { measuring } from "./measure.ts";
import { removing } from "./remove-day.ts";
import { openSealStore } from "./seal-store.ts";

const hostAndBoot = () => {
  const { host, boot } = ownMachine();
  return { host, boot };
};

/** What the commands that vouch for records, or check them, need of the world beside the archive. */
export const trustPorts = () => ({
  ...{ breakLeases, openSeals: openSealStore, measuring, removing, readJournal, machine: hostAndBoot() },
  noJournald: () => openJournal().note,
});
