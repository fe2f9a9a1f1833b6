import { expect, test } from "vitest";
import { parseWhen } from "../../../src/archive/when.ts";

const now = new Date(2026, 10, 25, 12, 30, 0).getTime(); // a Wednesday, local time
const local = (...parts: [number, number, number, number?, number?, number?]) => new Date(...parts).getTime();

test.each([
  ["now", now],
  ["2 hours ago", now - 7_200_000],
  ["1 minute ago", now - 60_000],
  ["3 weeks ago", now - 3 * 604_800_000],
  ["today", local(2026, 10, 25)],
  ["03:00", local(2026, 10, 25, 3)],
  ["yesterday", local(2026, 10, 24)],
  ["yesterday 03:00", local(2026, 10, 24, 3)],
  ["  Yesterday   03:00:09 ", local(2026, 10, 24, 3, 0, 9)],
  ["tuesday 03:12", local(2026, 10, 24, 3, 12)],
  ["last tuesday 03:12", local(2026, 10, 24, 3, 12)],
  ["last Tuesday at 03:12", local(2026, 10, 24, 3, 12)],
  ["yesterday at 3:00", local(2026, 10, 24, 3)],
  ["wednesday", local(2026, 10, 25)],
  ["last wednesday", local(2026, 10, 18)],
  ["thursday", local(2026, 10, 19)],
  ["2026-11-23", local(2026, 10, 23)],
  ["2026-11-23 03:12", local(2026, 10, 23, 3, 12)],
  ["2026-11-23T03:12:30", local(2026, 10, 23, 3, 12, 30)],
  ["2026-11-23T03:12:00Z", Date.UTC(2026, 10, 23, 3, 12)],
  ["2026-11-23T03:12:00.250z", Date.UTC(2026, 10, 23, 3, 12, 0, 250)],
  ["2026-11-23T03:12:00+01:00", Date.UTC(2026, 10, 23, 2, 12)],
  ["2024-02-29", local(2024, 1, 29)],
])("%s is a point in time", (text, time) => expect(parseWhen(text, now)).toBe(time));

test.each([
  "",
  "soon",
  "2026-02-31",
  "2026-13-01",
  "2026-02-31T00:00:00Z",
  "25:00",
  "03:60",
  "yesterday 24:00",
  "yesterday03:00",
  "2 fortnights ago",
  "-2 hours ago",
  "2026-11-23 03",
  "03:00 yesterday",
  "yesterday at",
  "yesterday at noon",
  "1",
])("%j is none", (text) => expect(parseWhen(text, now)).toBeUndefined());
