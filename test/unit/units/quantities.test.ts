import { expect, test } from "vitest";
import { formatBytes, parseBytes } from "../../../src/units/bytes.ts";
import { formatDuration, parseDuration } from "../../../src/units/durations.ts";
import { formatPercent, parseCount, parsePercent, parseWeight } from "../../../src/units/quantities.ts";

const G = 1024 ** 3;

test.each([
  ["2G", 2 * G],
  ["1536M", 1.5 * G],
  ["1K", 1024],
  ["1P", 1024 ** 5],
  ["1000", 1000],
  [4096, 4096],
  ["infinity", "infinity"],
])("reads the size %j", (text, bytes) => {
  expect(parseBytes(text, { infinite: true })).toBe(bytes);
});

test.each([
  ["2 G", '"2 G" has a space', 'write "2G"'],
  ["2g", '"2g" has its unit in lower case', 'write "2G"'],
  ["1.5G", '"1.5G" is not a whole number', 'write "1536M"'],
  ["2GB", '"2GB" ends in "B", which systemd does not know', 'write "2G"'],
  ["2GiB", '"2GiB" ends in "iB", which systemd does not know', 'write "2G"'],
  ["50%", '"50%" of memory differs from machine to machine', 'write the size itself, such as "2G"'],
  [" 2G", '" 2G" has a space around it', 'write "2G"'],
  ["2G\n", '"2G\\u{a}" has a space around it', 'write "2G"'],
  ["", "is empty", 'write a value such as "2G"'],
  ["0", "0 would let nothing run", 'write a size such as "2G"'],
  [-1, '"-1" is below zero', 'write a value above zero, such as "2G"'],
  ["1e309", '"1e309" is not written as a plain number', 'write a value such as "2G"'],
  [Number.NaN, '"NaN" is not written as a plain number', 'write a value such as "2G"'],
  [Number.POSITIVE_INFINITY, '"Infinity" is not a size', 'write bytes, or a number with K, M, G, T or P, such as "2G"'],
  ["infinity", '"infinity" is not a size', 'write bytes, or a number with K, M, G, T or P, such as "2G"'],
  ["9999999P", '"9999999P" is more than any machine has', 'write a size such as "2G"'],
  ["2G 1M", '"2G 1M" is not a size', 'write bytes, or a number with K, M, G, T or P, such as "2G"'],
])("refuses the size %j and says what to write", (text, problem, fix) => {
  expect(parseBytes(text)).toEqual({ problem, fix });
});

test("zero is a size where it means none", () => {
  expect(parseBytes("0", { zero: true })).toBe(0);
});

test.each(["2G", "1536M", "1000", "1K", "1P", "infinity"])("prints the size %s as it was written", (text) => {
  const bytes = parseBytes(text, { infinite: true });
  expect(typeof bytes !== "object" && formatBytes(bytes)).toBe(text);
});

test.each([
  ["30s", 30_000],
  ["4h", 14_400_000],
  ["1min 30s", 90_000],
  ["500ms", 500],
  ["2h 30min", 9_000_000],
  ["2h30min", 9_000_000],
  ["30", 30_000],
  [30, 30_000],
  ["5 min", 300_000],
  ["1w 1d", 691_200_000],
  ["infinity", "infinity"],
])("reads the duration %j", (text, ms) => {
  expect(parseDuration(text, true)).toBe(ms);
});

test.each([
  ["0", '"0" is zero'],
  ["0s", '"0s" is zero'],
  ["-1", '"-1" is below zero'],
  ["1.5h", '"1.5h" is not in whole numbers'],
  ["4 parsecs", '"4 parsecs" has an unknown unit "parsecs"'],
  ["10us", '"10us" has an unknown unit "us"'],
  ["1e309", '"1e309" is not written as a plain number'],
  [Number.NaN, '"NaN" is not written as a plain number'],
  ["4H", '"4H" has an unknown unit "H"'],
  ["h", '"h" is not a duration'],
  ["infinity", '"infinity" is not a duration'],
  ["99999999w", '"99999999w" is longer than a century'],
  ["4h\n", '"4h\\u{a}" has a space around it'],
])("refuses the duration %j", (text, problem) => {
  expect(parseDuration(text)).toMatchObject({ problem });
});

test.each(["30s", "4h", "1min 30s", "500ms", "1d 2h 3min 4s 5ms", "infinity"])("prints the duration %s", (text) => {
  const duration = parseDuration(text, true);
  expect(typeof duration !== "object" && formatDuration(duration)).toBe(text);
});

test.each([
  ["150%", 150],
  ["1%", 1],
  ["12.5%", 12.5],
])("reads the percentage %s and prints it again", (text, percent) => {
  const read = parsePercent(text);
  expect(read).toBe(percent);
  expect(typeof read === "number" && formatPercent(read)).toBe(text);
});

test.each([
  ["0%", '"0%" is below 1%', 'write at least "1%"'],
  ["150", '"150" lacks its %', 'write "150%"'],
  [150, '"150" lacks its %', 'write "150%"'],
  ["150 %", '"150 %" has a space', 'write "150%"'],
  ["infinity", '"infinity" is not a percentage', 'write a percentage of one CPU, such as "150%"'],
  ["-5%", '"-5%" is below zero', 'write a value above zero, such as "150%"'],
])("refuses the percentage %j", (text, problem, fix) => {
  expect(parsePercent(text)).toEqual({ problem, fix });
});

test.each([0, -1, 1.5, "many", "1e3", "10%", Number.NaN, 2 ** 53])("refuses the count %j", (value) => {
  expect(parseCount(value)).toHaveProperty("fix");
});

test("counts are whole numbers, unbounded only where that is said", () => {
  expect([parseCount(256), parseCount("256"), parseCount("infinity", true)]).toEqual([256, 256, "infinity"]);
  expect(parseCount("infinity")).toHaveProperty("problem");
});

test("a weight lies between 1 and 10000", () => {
  expect([parseWeight(1), parseWeight("10000")]).toEqual([1, 10_000]);
  expect(parseWeight(10_001)).toMatchObject({ problem: "10001 is above 10000" });
  expect(parseWeight(0)).toHaveProperty("problem");
});
