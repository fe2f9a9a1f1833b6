import { expect, test } from "vitest";
import type { Command } from "../../../src/cli/command.ts";
import { parseArguments } from "../../../src/cli/parse-arguments.ts";
import { UsageError } from "../../../src/cli/usage-error.ts";

const command = {
  name: "sessions list",
  options: { team: { type: "string", short: "t" }, json: { type: "boolean" } },
} as unknown as Command<never>;
const parse = (...words: string[]) => parseArguments(command, words);

test.each([
  [[], [], {}],
  [["a", "b"], ["a", "b"], {}],
  [["--json", "a", "--team", "alpha"], ["a"], { json: true, team: "alpha" }],
  [["--team=-x"], [], { team: "-x" }],
  [["-t", "alpha"], [], { team: "alpha" }],
  [["--", "--json", "--team"], ["--json", "--team"], {}],
  [["a", "--json", "--", "--json"], ["a", "--json"], { json: true }],
])("reads %j", (words, positionals, options) => {
  expect(parse(...words)).toEqual({ positionals, options });
});

test.each([
  [["--what"], "there is no option --what"],
  [["--what: it=1"], "there is no option --what: it"],
  [["--teams"], "there is no option --teams; did you mean --team?"],
  [["-w"], "there is no option -w"],
  [["--__proto__"], "there is no option --__proto__"],
  [["--team"], "--team needs a value"],
  [["-t"], "-t needs a value"],
  [["--json=yes"], "--json takes no value"],
  [["--json", "--json"], "--json is given twice"],
  [["--team=a", "-t", "b"], "--team is given twice"],
])("refuses %j in one plain sentence", (words, message) => {
  expect(() => parse(...words)).toThrow(
    expect.objectContaining({
      constructor: UsageError,
      exitStatus: 64,
      message,
      hint: "see nixgate sessions list --help",
    }),
  );
});

test.each([
  [["--team", "--json"], "--team", "write --team=--json if --json is its value"],
  [["--team", "--serve --write"], "--team", "write --team='--serve --write' if --serve --write is its value"],
  [["-t", "-x"], "-t", "write --team=-x if -x is its value"],
])("says for %j how a value that begins with a dash is given", (words, option, hint) => {
  expect(() => parse(...words)).toThrow(
    expect.objectContaining({
      exitStatus: 64,
      message: `${option} needs a value`,
      hint: `${hint}; see nixgate sessions list --help`,
    }),
  );
});

test("a word after -- is no option with a value", () => {
  expect(parse("--json", "--", "--json=yes")).toEqual({ positionals: ["--json=yes"], options: { json: true } });
});

test("a mistake in the command itself is not the user's", () => {
  const broken = { ...command, options: { team: undefined } } as unknown as Command<never>;
  expect(() => parseArguments(broken, [])).not.toThrow(UsageError);
  expect(() => parseArguments(broken, [])).toThrow(TypeError);
});
