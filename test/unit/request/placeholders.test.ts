import { describe, expect, test } from "vitest";
import {
  coversWords,
  fillIn,
  fits,
  matchWords,
  PLACEHOLDERS,
  type Placeholder,
} from "../../../src/request/placeholders.ts";
import { randomFrom } from "../../support/random.ts";

const HASH = "0123456789abcdfghijklmnpqrsvwxyz";
const PATH = `/nix/store/${HASH}-x`;
const DRV = `${PATH}.drv`;

describe("what each placeholder takes", () => {
  test.each<[string, ...Placeholder[]]>([
    [PATH, "{store-path}"],
    [DRV, ...PLACEHOLDERS],
    [`${PATH}-1.2+a_b?c=D`, "{store-path}"],
    [`/nix/store/${HASH}-.config`, "{store-path}"],
    [`/nix/store/${HASH}-${"n".repeat(211)}`, "{store-path}"],
    [`/nix/store/${HASH}-${"n".repeat(207)}.drv`, ...PLACEHOLDERS],
    [`${DRV}^*`, "{derivation^outputs}"],
    [`${DRV}^out`, "{derivation^outputs}"],
    [`${DRV}^out,dev,x-y`, "{derivation^outputs}"],
  ])("%s", (word, ...takers) => {
    expect(PLACEHOLDERS.filter((placeholder) => fits(placeholder, word))).toEqual(takers);
  });

  test.each([
    ["another folder", `/nix/var/${HASH}-x.drv`],
    ["no leading slash", `nix/store/${HASH}-x.drv`],
    ["something in front", ` ${DRV}`],
    ["an option with a path behind it", `--add-root=${DRV}`],
    ["something behind", `${DRV} `],
    ["a newline behind", `${DRV}\n`],
    ["one more slash", `${DRV}/`],
    ["a part below", `${PATH}/bin/sh.drv`],
    ["a way up", `${PATH}/../../../etc/x.drv`],
    ["a way up as a name", `/nix/store/${HASH}-..`],
    ["a dot as a name", `/nix/store/${HASH}-.`],
    ["a dot in front of a dash", `/nix/store/${HASH}-.-x.drv`],
    ["two dots in front of a dash", `/nix/store/${HASH}-..-x.drv`],
    ["a doubled slash", `/nix//store/${HASH}-x.drv`],
    ["a dot part", `/nix/./store/${HASH}-x.drv`],
    ["the store alone", "/nix/store"],
    ["the links of the store", "/nix/store/.links"],
    ["a hash that is too short", `/nix/store/${HASH.slice(1)}-x.drv`],
    ["a hash that is too long", `/nix/store/${HASH}0-x.drv`],
    ["a hash in capitals", `/nix/store/${HASH.toUpperCase()}-x.drv`],
    ["no name", `/nix/store/${HASH}`],
    ["an empty name", `/nix/store/${HASH}-`],
    ["a name of 212 characters", `/nix/store/${HASH}-${"n".repeat(208)}.drv`],
    ["a letter outside of ASCII", `/nix/store/${HASH}-é.drv`],
    ["a full-width letter", `/nix/store/${HASH}-ｘ.drv`],
    ["another installable's mark", `${DRV}!out`],
    ["a fragment", `${DRV}#x`],
    ["a caret without outputs", `${DRV}^`],
    ["two carets", `${DRV}^out^dev`],
    ["an empty output", `${DRV}^out,,dev`],
    ["a comma at the end", `${DRV}^out,`],
    ["a star among outputs", `${DRV}^*,out`],
    ["an output with a slash", `${DRV}^../x`],
    ["an output with a space", `${DRV}^out dev`],
    ["outputs of what is no derivation", `${PATH}^*`],
    ["the placeholder's own text", "{derivation}"],
    ["an option", "--help"],
    ["a dash", "-"],
    ["nothing", ""],
  ])("none takes %s: %j", (_, word) => {
    expect(PLACEHOLDERS.filter((placeholder) => fits(placeholder, word))).toEqual([]);
  });

  test.each([..."eotu"])("%s is none of Nix's base 32", (letter) => {
    for (let at = 0; at < HASH.length; at += 1)
      expect(fits("{store-path}", `/nix/store/${HASH.slice(0, at)}${letter}${HASH.slice(at + 1)}-x`)).toBe(false);
  });

  test("whatever is changed in a word, what is taken is one path directly in the store and never an option", () => {
    const random = randomFrom(20260301);
    const pick = (from: string) => from[Math.floor(random() * from.length)] as string;
    const hostile = " \t\n\r\0/\\.-^,*?=+_!#$`'\"{}()[]|&;<>~%@:eotuEXé\u202e\ufeff0az";
    let taken = 0;
    for (let round = 0; round < 6000; round += 1) {
      let word = pick("012") === "0" ? `${DRV}^out,dev` : pick("01") === "0" ? DRV : PATH;
      for (let changes = Math.floor(random() * 4); changes > 0; changes -= 1) {
        const at = Math.floor(random() * (word.length + 1));
        word =
          word.slice(0, at) + (pick("01") === "0" ? pick(hostile) : "") + word.slice(at + Math.floor(random() * 2));
      }
      for (const placeholder of PLACEHOLDERS) {
        if (!fits(placeholder, word)) continue;
        taken += 1;
        const [path = "", outputs, ...more] = word.split("^");
        expect([word, path.split("/")]).toEqual([word, ["", "nix", "store", expect.stringMatching(/^[0-9a-z]{32}-./)]]);
        expect([word, more, /[^\x21-\x7e]|["'`$;&|<>(){}[\]\\#!~%@:]/.test(word)]).toEqual([word, [], false]);
        expect([word, /-\.\.?$/.test(path.slice(43))]).toEqual([word, false]);
        if (placeholder !== "{store-path}") expect(path).toMatch(/\.drv$/);
        if (outputs !== undefined) expect([placeholder, outputs]).toEqual(["{derivation^outputs}", expect.anything()]);
      }
    }
    expect(taken).toBeGreaterThan(1500);
  });
});

describe("the words of a rule", () => {
  const rule = ["nix-store", "-r", "{derivation}", "{store-path}", "{derivation}"];
  const other = `/nix/store/${HASH}-other.drv`;

  test("each placeholder stands for one word, and what it took is kept in order", () => {
    expect(matchWords(rule, ["nix-store", "-r", DRV, PATH, other])).toEqual([
      { placeholder: "{derivation}", word: DRV },
      { placeholder: "{store-path}", word: PATH },
      { placeholder: "{derivation}", word: other },
    ]);
    expect(matchWords(["nix-store"], ["nix-store"])).toEqual([]);
  });

  test.each([
    ["fewer words", ["nix-store", "-r", DRV, PATH]],
    ["more words", ["nix-store", "-r", DRV, PATH, other, PATH]],
    ["another word", ["nix-store", "-q", DRV, PATH, other]],
    ["a word that does not fit", ["nix-store", "-r", PATH, PATH, other]],
    ["none", []],
  ])("%s: no match", (_, words) => {
    expect(matchWords(rule, words)).toBeUndefined();
  });

  test("in run the first of a kind stands for the first, and the second for the second", () => {
    const matched = matchWords(rule, ["nix-store", "-r", DRV, PATH, other]) ?? [];
    expect(fillIn(["/bin/x", "{store-path}", "{derivation}", "--", "{derivation}"], matched)).toEqual([
      "/bin/x",
      PATH,
      DRV,
      "--",
      other,
    ]);
    expect(fillIn(["/bin/x", "{other}"], matched)).toEqual(["/bin/x", "{other}"]);
  });

  test("a placeholder that stands for nothing is never passed on", () => {
    expect(() => fillIn(["/bin/x", "{derivation}"], [])).toThrow(TypeError);
  });

  test.each([
    [["a", "{store-path}"], ["a", "{derivation}"], true],
    [["a", "{derivation}"], ["a", "{store-path}"], false],
    [["a", "{derivation^outputs}"], ["a", "{derivation}"], true],
    [["a", "{store-path}"], ["a", "{derivation^outputs}"], false],
    [["a", "{store-path}"], ["a", PATH], true],
    [["a", PATH], ["a", "{store-path}"], false],
    [["a", "b"], ["a", "b"], true],
    [["a"], ["a", "b"], false],
  ])("%j takes all of %j: %s", (one, two, expected) => {
    expect(coversWords(one, two)).toBe(expected);
  });
});
