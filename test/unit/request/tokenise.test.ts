import { expect, test } from "vitest";
import { tokenise } from "../../../src/request/tokenise.ts";

test.each([
  ["", []],
  ["   ", []],
  ["a  b", ["a", "b"]],
  [" a ", ["a"]],
  ["n'ix'-store", ["nix-store"]],
  ["'a b' c", ["a b", "c"]],
  ["''", [""]],
  ["a ''", ["a", ""]],
  ["'it'\\''s'", ["it's"]],
  ['"a \\" b"', ['a " b']],
  ['"a \\x b"', ["a \\x b"]],
  ['"$HOME `id` \\$x"', ["$HOME `id` $x"]],
  ["a\\ b", ["a b"]],
  ["$'x'", ["$x"]],
  ["a;b&&c|d", ["a;b&&c|d"]],
  ["# a", ["#", "a"]],
  ["~ *", ["~", "*"]],
])("%j becomes the words %j", (text, words) => {
  expect(tokenise(text)).toEqual({ ok: true, words });
});

test.each(["'", '"', "a 'b", 'a "b', '"\\"', "\\", "a \\"])("%j has no words", (text) => {
  expect(tokenise(text).ok).toBe(false);
});
