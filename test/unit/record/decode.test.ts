import { expect, test } from "vitest";
import { decodeLine } from "../../../src/record/decode.ts";
import { sessionLines } from "../../support/records.ts";

test.each([
  ["a thousand levels", 999, undefined],
  ["more levels than a text can be made of again", 1000, "not a record of nixgate: nested deeper than 1000 levels"],
  ["half a million levels", 250_000, "not a record of nixgate: nested deeper than 1000 levels"],
])("a record of %s", (_, levels, what) => {
  const [line = ""] = sessionLines("2026-01-05T03:12:00Z").lines;
  const text = `{"quoted":"${"[".repeat(2000)}\\"","deep":${"[".repeat(levels)}${"]".repeat(levels)},${line.slice(1)}`;
  const decoded = decodeLine({ number: 1, bytes: Buffer.from(text), tooLong: false });
  expect(decoded.ok ? undefined : decoded.damage.what).toBe(what);
  if (decoded.ok) expect(JSON.stringify(decoded.record)).toContain("]]]]");
});
