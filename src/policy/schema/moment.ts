import { isInCalendar } from "../../units/day.ts";
import { quoted } from "./describe-value.ts";
import { field, type Wrong, wrongType } from "./field.ts";

const FIX = "write a date such as 2027-03-01, or a time with its zone such as 2027-03-01T12:00:00Z";
const DATE = /^\d{4}-\d\d-\d\d$/;
const ZONED = /^(\d{4}-\d\d-\d\d)T\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:\d\d)$/;

/**
 * The moment at which access ends, in milliseconds since 1970: a whole second of the wall clock. A date is its first
 * moment in UTC, because hosts of one fleet may be in several time zones. A time without a zone is refused for that
 * reason.
 */
export const moment = field("date or time", (value): number | Wrong => {
  if (value instanceof Date) return momentOf(value);
  return typeof value === "string" ? readMoment(value) : wrongType(value, "a date", FIX);
});

/** The text of JSON, and of TOML in quotes. */
function readMoment(text: string): number | Wrong {
  const [, day = text] = ZONED.exec(text) ?? [];
  const time = DATE.test(text) || day !== text ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(time) || !isInCalendar(day)) return { problem: `${quoted(text)} is not a date`, fix: FIX };
  return wholeSecond(time);
}

/** The two questions that smol-toml's dates answer. A date that was cloned is a plain Date and was judged before. */
interface TomlDate {
  readonly isLocal?: () => boolean;
  readonly isDate?: () => boolean;
}

function momentOf(value: Date & TomlDate): number | Wrong {
  if (value.isLocal?.() === true && value.isDate?.() !== true)
    return { problem: `${quoted(value.toISOString())} has no time zone`, fix: FIX };
  return wholeSecond(value.getTime());
}

const wholeSecond = (time: number) => Math.floor(time / 1000) * 1000;
