import { expect, test } from "vitest";
import { findCommand } from "../../../src/cli/find-command.ts";

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
