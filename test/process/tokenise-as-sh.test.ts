import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { tokenise } from "../../src/request/tokenise.ts";
import { randomFrom } from "../support/random.ts";

const PIECES = [
  "a",
  "nix",
  "-",
  "--x",
  " ",
  "  ",
  "'",
  '"',
  "\\",
  "\\ ",
  "''",
  '""',
  "'b c'",
  '"d e"',
  "\\'",
  '\\"',
  "é",
  "/",
  ".",
  "=",
  "@",
  ",",
  "+",
  "%",
  ":",
  "1",
];

/** What sh expands, redirects or runs where it stands bare; and blanks, quotes and what is neither. */
const LIVE = [..."$`;&|<>()*?[]~#!{}=\\'\" a1/-^%"];

/** Words in which each such character is quoted or escaped, in every way that there is. */
function quotedRequests(count: number, seed: number): readonly string[] {
  const random = randomFrom(seed);
  const pick = <Thing>(things: readonly Thing[]) => things[Math.floor(random() * things.length)] as Thing;
  const some = () => Array.from({ length: Math.floor(random() * 6) }, () => pick(LIVE));
  const ways = [
    () => `\\${pick(LIVE)}`,
    () => `'${some().join("").replaceAll("'", "")}'`,
    () =>
      `"${some()
        .join("")
        .replace(/[$`"\\]/g, "\\$&")}"`,
    () => pick(["a", "-", " ", "é"]),
  ];
  return Array.from(
    { length: count },
    () => `x${Array.from({ length: 1 + Math.floor(random() * 8) }, () => pick(ways)()).join("")}`,
  );
}

/** Requests of what sh neither expands, redirects nor runs: there it must agree with us, word by word. */
function requests(count: number, seed: number): readonly string[] {
  const random = randomFrom(seed);
  const piece = () => PIECES[Math.floor(random() * PIECES.length)] as string;
  return Array.from(
    { length: count },
    () => `x${Array.from({ length: 1 + Math.floor(random() * 12) }, piece).join("")}`,
  );
}

/** What a real sh makes of a request, or undefined where it cannot read it: `eval` splits exactly as a command line. */
function wordsOfSh(text: string): readonly string[] | undefined {
  try {
    const script = 'eval "set -- $1" && for word do printf "%s\\0" "$word"; done';
    const out = execFileSync("/bin/sh", ["-c", script, "sh", text], {
      encoding: "utf8",
      stdio: ["ignore", "pipe", "ignore"],
    });
    return out.split("\0").slice(0, -1);
  } catch {
    return undefined;
  }
}

test("an accepted request is split exactly as a real sh splits it", { timeout: 60_000 }, () => {
  let accepted = 0;
  for (const text of requests(1500, 20260101)) {
    const tokens = tokenise(text);
    if (!tokens.ok) continue;
    accepted += 1;
    expect([text, wordsOfSh(text)]).toEqual([text, tokens.words]);
  }
  expect(accepted).toBeGreaterThan(500);
});

test("quoted and escaped characters have the value that sh gives them", { timeout: 60_000 }, () => {
  for (const text of quotedRequests(1500, 20260102)) {
    const tokens = tokenise(text);
    expect([text, wordsOfSh(text)]).toEqual([text, tokens.ok && tokens.words]);
  }
});

test("a real sh cannot read a rejected request either", { timeout: 60_000 }, () => {
  const refused = requests(400, 7).filter((text) => !tokenise(text).ok && !text.endsWith("\\"));
  expect(refused.length).toBeGreaterThan(50);
  for (const text of refused) expect([text, wordsOfSh(text)]).toEqual([text, undefined]);
});
