import { expect, test } from "vitest";
import type { Command } from "../../../src/cli/command.ts";
import { commandHelp, familyHelp, overview } from "../../../src/cli/help.ts";

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

test("a long synopsis is folded between its words to 80 columns, and brackets stay whole", () => {
  const usage =
    "ID [--output DIR [--force]] [--sort start|wall|cpu|memory] [--log-dir DIR | --config-dir DIR | --merge]";
  expect(commandHelp({ ...command("sessions list", "list sessions"), usage }).split("\n\n")[0]).toBe(
    [
      "usage: nixgate sessions list ID [--output DIR [--force]]",
      "         [--sort start|wall|cpu|memory]",
      "         [--log-dir DIR | --config-dir DIR | --merge]",
    ].join("\n"),
  );
});

const MANY = [
  command("check", "check it"),
  { ...command("sessions hide", "hide it"), hidden: true as const },
  command("sessions list", "list sessions"),
];

test("a hidden command is neither in the overview nor in its family's page, and has a page of its own", () => {
  expect(overview(MANY)).not.toContain("hide");
  expect(familyHelp("sessions", MANY)).not.toContain("hide");
  expect(commandHelp(MANY[1] as Command<never>)).toContain("hide it");
});

test("a family's page lists its members alone", () => {
  expect(familyHelp("sessions", MANY)).toBe(
    "usage: nixgate sessions COMMAND [ARGUMENT…]\n\ncommands:\n  sessions list  list sessions\n\nnixgate sessions COMMAND --help tells more of each.\n",
  );
});
