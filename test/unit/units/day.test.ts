import { expect, test } from "vitest";
import { isDay } from "../../../src/units/day.ts";

test.each(["1970-01-01", "2024-02-29", "2026-01-05", "2999-12-31"])("%s is a day", (day) => {
  expect(isDay(day)).toBe(true);
});

test.each([
  "9999-99-99",
  "2026-13-01",
  "2026-00-10",
  "2026-02-30",
  "2023-02-29",
  "2026-01-00",
  "2026-1-5",
  "0000-01-01",
  "1969-12-31",
  "3000-01-01",
  "9999-12-31",
  "+026-01-05",
  "2026-01-05\n",
  "２０２６-01-05",
  "",
])("%j is no day", (day) => {
  expect(isDay(day)).toBe(false);
});
