import { describe, expect, test } from "vitest";
import { commandHelp, overview } from "../../../src/cli/help.ts";
import { allCommands } from "../../support/commands-table.ts";

const commands = await allCommands();
const COLUMNS = 80;

/** Verbs that end with an s in the imperative. */
const ENDS_WITH_S = /ss$/;

describe.each(commands.map((command) => [command.name, command] as const))("%s", (_name, command) => {
  test("has a summary that begins with a verb in the imperative, and is no sentence", () => {
    const [verb = ""] = command.summary.split(" ");
    expect(verb).toMatch(/^[a-z]+$/);
    expect(verb.endsWith("s") && !ENDS_WITH_S.test(verb)).toBe(false);
    expect(command.summary).not.toMatch(/\.$/);
  });

  test("has a synopsis of at most 80 columns", () => {
    const [synopsis = ""] = commandHelp(command).split("\n\n");
    for (const line of synopsis.split("\n")) expect(line.length).toBeLessThanOrEqual(COLUMNS);
    expect(synopsis.replaceAll(/\n +/g, " ")).toBe(`usage: nixgate ${command.name} ${command.usage}`.trim());
  });
});

test("the overview's list fits into 80 columns and leaves out what only nixgate's own programs call", () => {
  const rows = overview(commands)
    .split("\n")
    .filter((line) => line.startsWith("  "));
  expect(rows).toHaveLength(commands.length - 1);
  expect(rows.join("\n")).not.toContain("read-request");
  for (const row of rows) expect(row.length).toBeLessThanOrEqual(COLUMNS);
});
