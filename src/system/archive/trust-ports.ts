import { spawnSync } from "node:child_process";
import { openJournal } from "../journal/journal.ts";
import { readJournal } from "../journal/journal-reader.ts";
import { clock } from "../kernel/clock.ts";
import { ownMachine } from "../kernel/machine.ts";
import { breakLeases } from "./leases.ts";
import { createDigester } from "./measure.ts";
import { createRemover } from "./remove-day.ts";
import { openSealStore } from "./seal-store.ts";

const hostAndBoot = () => {
  const { host, boot } = ownMachine();
  return { host, boot };
};

/** How long timedatectl(1) may take, in milliseconds. */
const TIMEOUT_MS = 10_000;

/**
 * Whether the kernel calls its clock synchronised (adjtimex(2), STA_UNSYNC): a program for NTP or PTP keeps it right. Who
 * sets the clock takes that back. False where nobody says so.
 */
function isClockSynchronised(): boolean {
  const words = ["show", "--property=NTPSynchronized", "--value"];
  const { stdout } = spawnSync("timedatectl", words, { encoding: "utf8", timeout: TIMEOUT_MS, cwd: "/" });
  return stdout?.trim() === "yes";
}

/** The system operations of the commands that seal or verify records, besides the archive. */
export const trustPorts = () => ({
  ...{ breakLeases, openSeals: openSealStore, createDigester, createRemover, readJournal, machine: hostAndBoot() },
  elapsed: clock.monotonic,
  isClockSynchronised,
  noJournald: () => openJournal().note,
});
