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

/** Whether this process may end the records in a team's folder: only the folder's owner and root may. */
export function mayClose(file: Pick<DayFile, "path">): boolean {
  const own = process.geteuid?.() ?? 0;
  return own === 0 || ownerOf(file).uid === own;
}

/**
 * The ports for `recover`.
 * @param journal gets the copies, where the configuration enables them
 * @param serving the resident supervisor's answer about sessions without an end, where it was asked
 */
export function recoverPorts(
  directory: string,
  journal: (Pick<Journal, "copy"> & { flush(): Promise<unknown> }) | undefined,
  serving?: Serving,
): RecoverPorts & { flush(): Promise<unknown> } {
  const bootOf = bootsHere();
  return {
    isGone: (start) => isGone(start, serving),
    copies: async (lost) => {
      const [first] = lost;
      if (!journal || !first) return new Map();
      return copiesOf(lost, ownerOf({ path: `${directory}/${first.start.team}/` }).uid);
    },
    endLeftoverScopes: (lost) => endLeftoverScopes(lost, ownerOf({ path: `${directory}/${lost.start.team}/` })),
    openAlone: (file, waits) => openAlone(directory, file, waits),
    copyToJournal: (record, line) => journal?.copy(record, line),
    now: Date.now,
    elapsed: clock.monotonic,
    monotonic: (start) => (bootOf(start) === "here" ? clock.monotonic() : undefined),
    flush: async () => journal?.flush(),
  };
}

/**
 * Opens a file with its owner's rights: then root writes nothing that the owner could not write, and no new file is
 * root's. Running sessions write without the lock, because they end no other session's records.
 */
async function openAlone(directory: string, file: DayFile, waits: boolean): Promise<ClosingFile> {
  const opened = asOwner(ownerOf(file), () => openRecordFile(directory, file.team, Date.parse(file.day)));
  try {
    await lockFile(opened.descriptor, file.path, waits);
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

/** The timeout of the journal for one reading, in milliseconds. */
const JOURNAL_MS = 10_000;
/** The maximum number of entries that are read; the account could send more in the sessions' names. */
const MOST_COPIES = 50_000;

/**
 * The journal's copies of sessions' records, by session. Only copies from root and from the owner of the team's folder
 * count, because any other account could have forged them. There are none where the journal is unreadable: the sessions
 * then end as supervisor-lost.
 */
async function copiesOf(lost: readonly Unended[], owner: number): Promise<ReadonlyMap<string, Continuation[]>> {
  const found = new Map(lost.map(({ start }): [string, Continuation[]] => [start.session, []]));
  let count = 0;
  const read = async () => {
    for await (const { record, bytes, uid } of readJournal({ session: [...found.keys()] })) {
      if (uid !== 0 && uid !== owner) continue;
      if (count === MOST_COPIES) return;
      count += 1;
      found.get(record.session)?.push({ record, line: Buffer.from(bytes).toString() });
    }
  };
  await within(
    JOURNAL_MS,
    read().catch(() => undefined),
    undefined,
  );
  return found;
}
