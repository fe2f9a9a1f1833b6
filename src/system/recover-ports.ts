import { lstatSync } from "node:fs";
import { dirname } from "node:path";
import type { DayFile } from "../record/archive.ts";
import { RecordError } from "../record/error.ts";
import type { ClosingFile, RecoverPorts } from "../record/recover.ts";
import { escapeText } from "../units/text.ts";
import { asOwner, type Owner } from "./as-owner.ts";
import { openJournal } from "./journal.ts";
import { openRecordFile } from "./record-file.ts";
import { endRemains } from "./remains.ts";
import { run } from "./run.ts";
import { isGone } from "./supervisor.ts";

/** How long another recovery of the same file is waited for, in seconds; what it does takes milliseconds. */
const LOCK_SECONDS = 10;

/** Whether this process may end the records in a team's folder: its owner's and root's may. */
export function mayClose(file: Pick<DayFile, "path">): boolean {
  const own = process.geteuid?.() ?? 0;
  return own === 0 || ownerOf(file).uid === own;
}

/** @param journald whether the configuration wants copies in the journal */
export function recoverPorts(directory: string, journald: boolean): RecoverPorts & { flush(): Promise<unknown> } {
  const journal = journald ? openJournal() : undefined;
  return {
    isGone,
    endRemains: (lost) => endRemains(lost, ownerOf({ path: `${directory}/${lost.start.team}/` })),
    openAlone: (file) => openAlone(directory, file),
    copyToJournal: (record, line) => journal?.copy(record, line),
    now: Date.now,
    flush: async () => journal?.flush(),
  };
}

/**
 * What is opened with the owner's rights is nothing that its owner could not write, and nothing new is root's.
 * flock(2) by way of flock(1): a lock belongs to the open file, which both share, so it stays when flock(1) has gone and
 * is the kernel's to take back when we have. Sessions that run write without it: they end nobody's records but theirs.
 */
async function openAlone(directory: string, file: DayFile): Promise<ClosingFile> {
  const opened = asOwner(ownerOf(file), () => openRecordFile(directory, file.team, Date.parse(file.day)));
  const status = await run("flock", ["--exclusive", "--wait", String(LOCK_SECONDS), "3"], {
    files: [opened.descriptor],
    timeoutMs: (LOCK_SECONDS + 5) * 1000,
  });
  if (status === 0) return opened;
  opened.close();
  const path = escapeText(file.path);
  throw status === undefined
    ? new RecordError("E_LOG_WRITE", `${path}: cannot be locked: flock(1) cannot be run`, {
        hint: "install util-linux",
      })
    : new RecordError("E_LOG_WRITE", `${path}: another process holds its lock for more than ${LOCK_SECONDS} s`, {
        hint: `see who does: fuser -v ${path}`,
      });
}

function ownerOf(file: Pick<DayFile, "path">): Owner {
  const folder = file.path.endsWith("/") ? file.path.slice(0, -1) : dirname(file.path);
  const { uid, gid } = lstatSync(folder);
  return { uid, gid };
}
