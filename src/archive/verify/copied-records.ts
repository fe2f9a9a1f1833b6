import type { DayFile } from "../archive.ts";
import { DigestSet, shortened } from "./digest-set.ts";

/** The most digests in memory at one time, at 17 bytes each. */
const MOST_AT_HAND = 500_000;

/**
 * Marks the records of the files that have a copy. A file's records are read when its first copy is marked. A journal
 * goes through the days in order, so few files are in memory at a time. Of the other files, only the records without a
 * copy are kept. So memory does not grow with the archive, as long as the journal holds its records.
 * @param read calls back with all digests of a file, as hex
 */
export function copiedRecords(read: (file: DayFile, visit: (digest: string) => void) => void, most = MOST_AT_HAND) {
  /** The files in memory, with their copied records marked. The most recently used file comes last. */
  const atHand = new Map<DayFile, DigestSet>();
  let last: DayFile | undefined;
  /** The records without a copy, for the files that are no longer in memory. */
  const lacking = new Map<DayFile, Set<string>>();

  function digestsOf(file: DayFile): DigestSet {
    const known = atHand.get(file);
    if (known && file === last) return known;
    const digests = known ?? readAll(file);
    atHand.delete(file);
    atHand.set(file, digests);
    last = file;
    makeRoom(file);
    return digests;
  }

  function readAll(file: DayFile): DigestSet {
    const digests = new DigestSet();
    read(file, (digest) => digests.add(digest));
    return digests;
  }

  function makeRoom(asked: DayFile): void {
    let room = [...atHand.values()].reduce((sum, { capacity }) => sum + capacity, 0);
    for (const [file, digests] of atHand) {
      if (room <= most || file === asked) break;
      if (!lacking.has(file)) lacking.set(file, new Set(digests.withoutMark()));
      atHand.delete(file);
      room -= digests.capacity;
    }
  }

  return {
    /** @returns whether the file has the record */
    mark(file: DayFile, digest: string): boolean {
      const missing = lacking.get(file);
      if (missing?.delete(shortened(digest))) return true;
      return missing ? digestsOf(file).has(digest) : digestsOf(file).mark(digest);
    },
    /** Whether a record of the file is marked. */
    isMarked(file: DayFile, digest: string): boolean {
      const missing = lacking.get(file);
      return missing ? !missing.has(shortened(digest)) : (atHand.get(file)?.isMarked(digest) ?? false);
    },
    areAllMarked: (file: DayFile): boolean => (lacking.get(file)?.size ?? atHand.get(file)?.unmarked) === 0,
  };
}
