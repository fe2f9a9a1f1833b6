import type { DayFile } from "./archive.ts";
import { DigestSet, shortened } from "./digest-set.ts";

/** For so many digests there is room at one time, in the files that are at hand: 17 bytes each. */
const MOST_AT_HAND = 500_000;

interface Day {
  /** Its records, those with a copy marked; undefined while others are at hand. */
  digests: DigestSet | undefined;
  /** Its records without a copy, once it has not been at hand for a while. */
  lacking: Set<string> | undefined;
}

/**
 * Which records of the files have a copy. A file's records are read when the first copy of one comes; since a journal
 * goes through the days one after the other, few files are at hand at a time, and of the others it is enough to know
 * what they lack. So memory does not grow with the archive, as long as its records are in the journal.
 * @param read shows all digests of a file, as hex
 */
export function copiedRecords(read: (file: DayFile, visit: (digest: string) => void) => void, most = MOST_AT_HAND) {
  const days = new Map<DayFile, Day>();
  /** The one that was asked for last stands last. */
  const atHand = new Map<DayFile, DigestSet>();
  let last: DayFile | undefined;

  function digestsOf(file: DayFile, day: Day): DigestSet {
    if (day.digests && file === last) return day.digests;
    last = file;
    atHand.delete(file);
    if (!day.digests) {
      const digests = new DigestSet();
      read(file, (digest) => digests.add(digest));
      day.digests = digests;
    }
    atHand.set(file, day.digests);
    let room = [...atHand.values()].reduce((sum, { capacity }) => sum + capacity, 0);
    for (const [other, digests] of atHand) {
      if (room <= most || other === file) break;
      putAway(other);
      room -= digests.capacity;
    }
    return day.digests;
  }

  function putAway(file: DayFile): void {
    const day = days.get(file);
    if (!day) return;
    day.lacking ??= new Set(day.digests?.withoutMark());
    day.digests = undefined;
    atHand.delete(file);
  }

  return {
    /** @returns whether the file has the record */
    mark(file: DayFile, digest: string): boolean {
      const day = days.get(file) ?? { digests: undefined, lacking: undefined };
      days.set(file, day);
      if (day.lacking?.delete(shortened(digest))) return true;
      const digests = digestsOf(file, day);
      return day.lacking ? digests.has(digest) : digests.mark(digest);
    },
    /** Of a record that is in the file. */
    isMarked(file: DayFile, digest: string): boolean {
      const day = days.get(file);
      if (day?.lacking) return !day.lacking.has(shortened(digest));
      return day?.digests?.isMarked(digest) ?? false;
    },
    areAllMarked(file: DayFile): boolean {
      const day = days.get(file);
      return (day?.lacking?.size ?? day?.digests?.unmarked) === 0;
    },
  };
}
