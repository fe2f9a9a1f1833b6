const UNIT_MS: Readonly<Record<string, number>> = {
  second: 1000,
  minute: 60_000,
  hour: 3_600_000,
  day: 86_400_000,
  week: 604_800_000,
};
const WEEKDAYS = ["sunday", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday"];
const CLOCK = /(?:^|[ t])(\d{1,2}):(\d\d)(?::(\d\d))?$/;

/** The forms of `--since` and `--until`, for messages and help. */
export const WHEN_FORMS =
  '"now", "2 hours ago", "03:00", "today", "yesterday 03:00", "last tuesday at 03:12", "2026-11-23", "2026-11-23 03:12", "2026-11-23T03:12:00Z"';

/**
 * Parses a point in time, in the local time zone unless the text names another: milliseconds since 1970, or undefined
 * where the text is not valid. A day alone means its midnight. A weekday means today or the last such day.
 */
export function parseWhen(text: string, now: number): number | undefined {
  const words = text
    .trim()
    .toLowerCase()
    .replace(/\s+/g, " ")
    .replace(/ at (?=\d)/, " ");
  if (words === "now") return now;
  const ago = /^(\d{1,6}) (second|minute|hour|day|week)s? ago$/.exec(words);
  if (ago) return now - Number(ago[1]) * (UNIT_MS[ago[2] ?? ""] ?? 0);
  if (/^\d{4}-\d\d-\d\dt[\d:.]+(z|[+-]\d\d:\d\d)$/.test(words)) return isoInstant(text.trim());
  const clock = CLOCK.exec(words);
  const named = words.slice(0, clock?.index ?? words.length);
  const day = dayOf(named === "" && clock ? "today" : named, new Date(now));
  if (!day) return undefined;
  return local(
    day,
    [1, 2, 3].map((part) => Number(clock?.[part] ?? 0)),
  );
}

type Day = readonly [year: number, month: number, day: number];

function dayOf(word: string, now: Date): Day | undefined {
  const back = (days: number): Day => {
    const day = new Date(now.getFullYear(), now.getMonth(), now.getDate() - days);
    return [day.getFullYear(), day.getMonth() + 1, day.getDate()];
  };
  if (word === "today") return back(0);
  if (word === "yesterday") return back(1);
  const weekday = WEEKDAYS.indexOf(word.replace(/^last /, ""));
  if (weekday >= 0) return back((now.getDay() - weekday + 7) % 7 || (word.startsWith("last ") ? 7 : 0));
  const [, year, month, day] = /^(\d{4})-(\d\d)-(\d\d)$/.exec(word) ?? [];
  return day === undefined ? undefined : [Number(year), Number(month), Number(day)];
}

/** Undefined for 31 February and 25 o'clock; Date would move these to another day. */
function local([year, month, day]: Day, [hour = 0, minute = 0, second = 0]: readonly number[]): number | undefined {
  const time = new Date(year, month - 1, day, hour, minute, second);
  const sound = time.getMonth() === month - 1 && time.getDate() === day && hour < 24 && minute < 60 && second < 60;
  return sound ? time.getTime() : undefined;
}

function isoInstant(text: string): number | undefined {
  const time = Date.parse(text.toUpperCase());
  const [, month, day] = /^\d{4}-(\d\d)-(\d\d)/.exec(text) ?? [];
  const sound = Number(day) <= new Date(Date.UTC(Number(text.slice(0, 4)), Number(month), 0)).getUTCDate();
  return Number.isNaN(time) || !sound ? undefined : time;
}
