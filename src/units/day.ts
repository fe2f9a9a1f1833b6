/** The range of valid years. No host's clock shows a day outside of it, so such a day is taken for a forgery. */
const FIRST_YEAR = "1970";
const LAST_YEAR = "2999";
const DAY = /^\d{4}-\d\d-\d\d$/;

/** Whether a text is a day of the calendar, `YYYY-MM-DD`, in a valid year. */
export const isDay = (text: string): boolean =>
  DAY.test(text) && text >= FIRST_YEAR && text.slice(0, 4) <= LAST_YEAR && isInCalendar(text);

/** Whether a day `YYYY-MM-DD` is in the calendar. V8 and smol-toml take 30 February for 2 March. */
export function isInCalendar(day: string): boolean {
  const time = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day);
}
