import { expect, test } from "vitest";
import { escapeJson, escapeText, hasControlCharacter } from "../../../src/units/text.ts";

test("control characters are Unicode's Cc and Cs, and nothing else is one", () => {
  for (let code = 0; code <= 0xffff; code += 1) {
    const character = String.fromCharCode(code);
    expect(hasControlCharacter(`a${character}b`), code.toString(16)).toBe(/[\p{Cc}\p{Cs}]/u.test(character));
  }
  expect(hasControlCharacter("a pair: 😀")).toBe(false);
});

test("no format character of Unicode that shows nothing comes through, and JSON reads back as it was", () => {
  const hidden: string[] = [];
  for (let code = 0; code <= 0x10ffff; code += 1) {
    if (code >= 0xd800 && code <= 0xdfff) continue;
    const character = String.fromCodePoint(code);
    // the others of Cf are seen: signs above or below Arabic, Syriac and Kaithi letters, hieroglyphs' joiners, notes' beams
    if (!/\p{Default_Ignorable_Code_Point}/u.test(character) || !/\p{Cf}/u.test(character)) continue;
    if (code >= 0x1bca0 && code <= 0x1d17a) continue;
    hidden.push(character);
  }
  const text = hidden.join("");
  expect(hidden.length).toBeGreaterThan(100);
  expect(escapeText(text)).toMatch(/^[\x20-\x7e]*$/);
  expect(escapeText("\u{e0041}")).toBe("\\u{e0041}");
  const json = escapeJson(JSON.stringify(text));
  expect(json).toMatch(/^[\x20-\x7e]*$/);
  expect(JSON.parse(json)).toBe(text);
});
