import { lstatSync } from "node:fs";
import { dirname } from "node:path";
import type { DayFile } from "../record/archive.ts";
import type { ClosingFile, RecoverPorts } from "../record/recover.ts";
import { asOwner, type Owner } from "./as-owner.ts";
import { clock } from "./clock.ts";
import type { Journal } from "./journal.ts";
import { bootsHere } from "./liveness.ts";
import { lockFile } from "./lock.ts";
import { openRecordFile } from "./record-file.ts";
import { endRemains } from "./remains.ts";
import { isGone } from "./session-process.ts";

/** Whether this process may end the records in a team's folder: its owner's and root's may. */
export function mayClose(file: Pick<DayFile, "path">): boolean {
  const own = process.geteuid?.() ?? 0;
  return own === 0 || ownerOf(file).uid === own;
}

/** @param journal what gets the copies, where the configuration wants any */
export function recoverPorts(
  directory: string,
  journal: (Pick<Journal, "copy"> & { flush(): Promise<unknown> }) | undefined,
): RecoverPorts & { flush(): Promise<unknown> } {
  const bootOf = bootsHere();
  return {
    isGone,
    endRemains: (lost) => endRemains(lost, ownerOf({ path: `${directory}/${lost.start.team}/` })),
    openAlone: (file) => openAlone(directory, file),
    copyToJournal: (record, line) => journal?.copy(record, line),
    now: Date.now,
    monotonic: (start) => (bootOf(start) === "here" ? clock.monotonic() : undefined),
    flush: async () => journal?.flush(),
  };
}

/**
 * What is opened with the owner's rights is nothing that its owner could not write, and nothing new is root's. Sessions
 * that run write without the lock: they end nobody's records but theirs.
 */
async function openAlone(directory: string, file: DayFile): Promise<ClosingFile> {
  const opened = asOwner(ownerOf(file), () => openRecordFile(directory, file.team, Date.parse(file.day)));
  try {
    await lockFile(opened.descriptor, file.path);
    return opened;
  } catch (error) {
    opened.close();
    throw error;
  }
}

function ownerOf(file: Pick<DayFile, "path">): Owner {
  const folder = file.path.endsWith("/") ? file.path.slice(0, -1) : dirname(file.path);
  const { uid, gid } = lstatSync(folder);
  return { uid, gid };
}
