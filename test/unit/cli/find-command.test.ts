import { expect, test } from "vitest";
import { familyAlone, findCommand, unknownCommand } from "../../../src/cli/find-command.ts";

const TABLE = { check: "check", sessions: "sessions", "sessions list": "list", "render units": "units" };

test.each([
  [["check"], "check", []],
  [["check", "--json", "x"], "check", ["--json", "x"]],
  [["sessions", "list"], "list", []],
  [["sessions", "list", "list"], "list", ["list"]],
  [["sessions", "else"], "sessions", ["else"]],
  [["sessions", "--json", "list"], "sessions", ["--json", "list"]],
])("%j calls %s with %j", (words, entry, rest) => {
  expect(findCommand(TABLE, words)).toEqual({ entry, rest });
});

test.each([
  [[]],
  [[""]],
  [["chec"]],
  [["list"]],
  [["render"]],
  [["render", "--json"]],
  [["toString"]],
  [["__proto__"]],
])("%j calls nothing", (words) => {
  expect(findCommand(TABLE, words)).toBeUndefined();
});

const NAMES = ["session", "check", "sessions list", "sessions kill", "render units"];

test.each([
  [["sessions"], "sessions"],
  [["sessions", "--json"], "sessions"],
  [["render", "--help"], "render"],
  [["sessions", "lst"], undefined],
  [["check"], undefined],
  [["toString"], undefined],
  [[], undefined],
])("%j names the family %j alone", (words, family) => {
  expect(familyAlone(NAMES, words)).toBe(family);
});

test.each([
  [["chekc"], "chekc", "; did you mean check?", ""],
  [["CHECK", "x.toml"], "CHECK", "; did you mean check?", ""],
  [["sesions"], "sesions", "; did you mean sessions?", ""],
  [["sesions", "list"], "sesions", "; did you mean sessions list?", ""],
  [["sessions", "lst"], "sessions lst", "; did you mean sessions list?", "sessions "],
  [["list"], "list", "; did you mean sessions list?", ""],
  [["kil", "51767af18c79"], "kil", "; did you mean sessions kill?", ""],
  [["render", "report"], "render report", "", "render "],
  [["begin"], "begin", "", ""],
  [[""], "", "", ""],
])("%j is no command, and what was meant is said", (words, typed, suggestion, family) => {
  expect(unknownCommand(NAMES, words)).toMatchObject({
    exitStatus: 64,
    message: `there is no command "${typed}"${suggestion}`,
    hint: `see nixgate ${family}--help`,
  });
});
