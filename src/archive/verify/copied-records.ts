import type { DayFile } from "../archive.ts";
import { DigestSet, shortened } from "./digest-set.ts";

/** For so many digests there is room at one time, in the files that are at hand: 17 bytes each. */
const MOST_AT_HAND = 500_000;

/**
 * Which records of the files have a copy. A file's records are read when the first copy of one comes; since a journal
 * goes through the days one after the other, few files are at hand at a time, and of the others it is enough to know
 * what they lack. So memory does not grow with the archive, as long as its records are in the journal.
 * @param read shows all digests of a file, as hex
 */
export function copiedRecords(read: (file: DayFile, visit: (digest: string) => void) => void, most = MOST_AT_HAND) {
  /** Files whose records are held, those with a copy marked. The one that was asked for last stands last. */
  const atHand = new Map<DayFile, DigestSet>();
  let last: DayFile | undefined;
  /** Of the files that have been put away: their records without a copy. */
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
    /** Of a record that is in the file. */
    isMarked(file: DayFile, digest: string): boolean {
      const missing = lacking.get(file);
      return missing ? !missing.has(shortened(digest)) : (atHand.get(file)?.isMarked(digest) ?? false);
    },
    areAllMarked: (file: DayFile): boolean => (lacking.get(file)?.size ?? atHand.get(file)?.unmarked) === 0,
  };
}
