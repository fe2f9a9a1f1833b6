import { expect, test } from "vitest";
import type { Command } from "../../../src/cli/command.ts";
import { commandHelp, overview } from "../../../src/cli/help.ts";

const command = (name: string, summary: string): Command<never> => ({
  name,
  summary,
  usage: "[PATH…] [--json]",
  help: "\nReads it all.\n\n  --json  as JSON\n\n",
  options: {},
  run: () => ({ status: 0 }),
});

test("a command's page is its usage, its summary and the rest, with a blank line between them", () => {
  expect(commandHelp(command("check", "check a configuration"))).toBe(
    "usage: nixgate check [PATH…] [--json]\n\ncheck a configuration\n\nReads it all.\n\n  --json  as JSON\n",
  );
});

test("the overview has one line for each command, in their order, and the summaries stand below each other", () => {
  const page = overview([command("check", "check a configuration"), command("sessions list", "list sessions")]);
  expect(page).toContain("commands:\n  check          check a configuration\n  sessions list  list sessions\n\n");
  expect(page).toMatch(/^usage: nixgate COMMAND/);
  expect(page).toMatch(/[^\n]\n$/);
});
