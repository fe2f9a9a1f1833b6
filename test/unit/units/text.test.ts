import { expect, test } from "vitest";
import { hasControlCharacter } from "../../../src/units/text.ts";

test("control characters are Unicode's Cc and Cs, and nothing else is one", () => {
  for (let code = 0; code <= 0xffff; code += 1) {
    const character = String.fromCharCode(code);
    expect(hasControlCharacter(`a${character}b`), code.toString(16)).toBe(/[\p{Cc}\p{Cs}]/u.test(character));
  }
  expect(hasControlCharacter("a pair: 😀")).toBe(false);
});
