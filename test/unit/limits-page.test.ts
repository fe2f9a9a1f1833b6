import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { Cause } from "../../src/ending/ending.ts";
import type { Whose } from "../../src/ending/limit-events.ts";
import { wordsForClient } from "../../src/ending/words.ts";
import { CAUSES } from "../../src/record/vocabulary.ts";
import { page } from "../support/markdown.ts";

const COLUMNS = { cause: 2, told: 3, shown: 5 };
const section = /^## What a limit does\n([\s\S]*?)^## /m.exec(page("limits"))?.[1] ?? "";
const rows = section
  .split("\n")
  .filter((line) => line.startsWith("| ") && !/^\| (?:---|what happens)/.test(line))
  .map((line) => line.split("|").slice(1, -1));
const words = (cell: string | undefined) => /`([^`]+)`/.exec(cell ?? "")?.[1];

/** The limits that the table's rows were seen with. */
const LIMITS = { memory: "64M", tasks: "64", runtime: "2s" };
/** By a signal of its own, and obeying one with a status of its own. */
const ENDS = [{ signal: "SIGSEGV" }, { code: 1 }] as const;
const WHOSE: readonly Whose[] = ["command", "team", "ancestor", "host"];

test("docs/limits.md has a row for every cause but a bug", () => {
  const named = new Set(rows.map((row) => words(row[COLUMNS.cause])));
  expect([...named].sort()).toEqual(CAUSES.filter((cause) => cause !== "internal").sort());
});

test.each(rows.map((row) => [words(row[COLUMNS.cause]) as Cause, words(row[COLUMNS.told])] as const))(
  "docs/limits.md tells what a client is told about %s: %s",
  (cause, told) => {
    // these words are the session's, with the limit in them
    if (cause === "exec-failed") return expect(told).toBe("the program of this request cannot be run: …");
    if (cause === "scope-failed") return expect(told).toBe("the command cannot be given its limits: …");
    const said = WHOSE.flatMap((whose) =>
      ENDS.map((exit) => wordsForClient(cause, LIMITS, { memory: whose, tasks: whose }, exit)),
    );
    expect(said).toContain(told);
  },
);

test.each(rows)("the row “%s” names a test that is there", (...row) => {
  expect(() => readFileSync(`test/machine/${words(row[COLUMNS.shown])}`)).not.toThrow();
});
