import { lstatSync } from "node:fs";
import { dirname } from "node:path";
import type { DayFile } from "../../archive/archive.ts";
import type { ClosingFile, RecoverPorts } from "../../archive/lost/recover.ts";
import type { Continuation, Unended } from "../../archive/lost/unended.ts";
import { asOwner, type Owner } from "../accounts/as-owner.ts";
import { openRecordFile } from "../archive/record-file.ts";
import { lockFile } from "../files/lock.ts";
import type { Journal } from "../journal/journal.ts";
import { readJournal } from "../journal/journal-reader.ts";
import { clock, within } from "../kernel/clock.ts";
import type { Serving } from "../kernel/resident.ts";
import { isGone } from "../kernel/session-process.ts";
import { endLeftoverScopes } from "./leftover-scopes.ts";
import { bootsHere } from "./liveness.ts";

/** Whether this process may end the records in a team's folder: its owner's and root's may. */
export function mayClose(file: Pick<DayFile, "path">): boolean {
  const own = process.geteuid?.() ?? 0;
  return own === 0 || ownerOf(file).uid === own;
}

/**
 * @param journal what gets the copies, where the configuration wants any
 * @param serving what the resident supervisor has said of sessions without an end, where it was asked
 */
export function recoverPorts(
  directory: string,
  journal: (Pick<Journal, "copy"> & { flush(): Promise<unknown> }) | undefined,
  serving?: Serving,
): RecoverPorts & { flush(): Promise<unknown> } {
  const bootOf = bootsHere();
  return {
    isGone: (start) => isGone(start, serving),
    copies: async (lost) => (journal ? copiesOf(lost, ownerOf({ path: `${directory}/${lost.start.team}/` }).uid) : []),
    endLeftoverScopes: (lost) => endLeftoverScopes(lost, ownerOf({ path: `${directory}/${lost.start.team}/` })),
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

/** How long the journal may take for one session, in milliseconds. */
const JOURNAL_MS = 10_000;
/** What is taken of a session; the account could send more in its name. */
const MOST_COPIES = 10_000;

/**
 * What the journal has of a session. Only copies of root and of the account that owns the team's folder count: any other
 * account could have made them up. None where the journal cannot be read: the session then ends as supervisor-lost.
 */
async function copiesOf({ start }: Unended, owner: number): Promise<readonly Continuation[]> {
  const found: Continuation[] = [];
  const read = async () => {
    for await (const { record, bytes, uid } of readJournal({ session: start.session }))
      if ((uid === 0 || uid === owner) && found.length < MOST_COPIES)
        found.push({ record, line: Buffer.from(bytes).toString() });
  };
  await within(
    JOURNAL_MS,
    read().catch(() => undefined),
    undefined,
  );
  return found;
}
