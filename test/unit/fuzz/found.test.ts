import { expect, test } from "vitest";
import { journalCopy } from "../../../src/archive/verify/journal-copy.ts";
import { sessionLines } from "../../support/records.ts";

const record = sessionLines("2026-01-05T03:12:00Z").lines[0]?.trimEnd();

// Each was found by `npm run fuzz`.
test.each([
  ["JSON that is no object", "null"],
  ["JSON that is a list", "[]"],
  [
    "a time that no Date can hold",
    JSON.stringify({ NIXGATE_RECORD: record, _UID: "0", __REALTIME_TIMESTAMP: "99999999999999999999" }),
  ],
])("%s is no copy of a record", (_, text) => expect(journalCopy(text)).toBeUndefined());

test("the same entry with a time is one", () => {
  const entry = { NIXGATE_RECORD: record, _UID: "0", __REALTIME_TIMESTAMP: "1767582720000000" };
  expect(journalCopy(JSON.stringify(entry))).toMatchObject({ uid: 0, received: 1767582720000 });
});
