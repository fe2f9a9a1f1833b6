const DAY_MS = 86_400_000;

/** Gaps up to this part of the age count in full: hosts are switched off for a while. */
const TOLERATED_PART = 4;

/**
 * The moment that lies `age` before now, by a clock that may be wrong. A clock that jumps ahead shows a time in which nothing
 * was recorded. So a long gap between two days on record counts as one day, however long the clock says that it was.
 * @param days on which something was recorded or sealed, `YYYY-MM-DD`; those after now say nothing
 * @param now and the result in milliseconds since 1970; `age` in milliseconds
 * @returns undefined where all that is on record may be younger
 */
export function provenMoment(days: Iterable<string>, now: number, age: number): number | undefined {
  const tolerated = Math.max(DAY_MS, age / TOLERATED_PART);
  const points = [...new Set(days)].map((day) => Date.parse(day)).filter((point) => point <= now);
  let at = now;
  let left = age;
  for (const point of points.sort((a, b) => b - a)) {
    const gap = at - point;
    if (gap <= tolerated && gap >= left) return at - left;
    left -= gap <= tolerated ? gap : Math.min(DAY_MS, left - 1);
    at = point;
  }
  return undefined;
}
