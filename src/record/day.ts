/** The range of valid years. No host's clock shows a day outside of it, so such a day is taken for a forgery. */
const FIRST_YEAR = "1970";
const LAST_YEAR = "2999";
const DAY = /^\d{4}-\d\d-\d\d$/;

/** Whether a text is a day of the calendar, `YYYY-MM-DD`, in a valid year. */
export function isDay(text: string): boolean {
  if (!DAY.test(text) || text < FIRST_YEAR || text.slice(0, 4) > LAST_YEAR) return false;
  const time = Date.parse(`${text}T00:00:00.000Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(text); // February 30 becomes March 2
}
