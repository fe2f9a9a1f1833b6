import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import * as shimAnswers from "../../src/session/shim-answers.ts";
import { CONTROL } from "../../src/supervisor/fifos.ts";
import { askIn, killIn, servingAskIn } from "../../src/supervisor/lines.ts";
import { page, quoted, tableUnder } from "../support/markdown.ts";

const section = (title: string) => page("protocol").split(`\n## ${title}\n`)[1]?.split("\n## ")[0] ?? "";
const textOf = (path: string) => readFileSync(path, "utf8");
const foldersText = (folder: string) =>
  readdirSync(folder, { recursive: true, encoding: "utf8" })
    .filter((name) => name.endsWith(".ts"))
    .map((name) => textOf(join(folder, name)))
    .join("\n");
const sorted = (words: Iterable<string | undefined>) => [...new Set(words)].sort();
const allOf = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].map(([, word]) => word as string);

const SHIM = textOf("bin/nixgate-shim");
const HOLDER = textOf("bin/nixgate-holder");
const ofShim = tableUnder(section("Shim and supervisor"), "message");
const ofRoot = tableUnder(section("Root and supervisor"), "message");
const ofHolder = tableUnder(section("Holder and nixgate"), "message");
const meaningOf = (rows: readonly (readonly string[])[], message: string) =>
  rows.find(([name]) => name === message)?.at(-1) ?? "";

describe("docs/protocol.md, shim and supervisor", () => {
  test("has every signal that the supervisor sends to a shim, and the shim's own SIGSTOP", () => {
    const sent = allOf(foldersText("src/supervisor"), /\bshim\.signal\("(SIG\w+)"\)/g);
    const own = allOf(SHIM, /kill -s (\w+) \$\$/g).map((name) => `SIG${name}`);
    expect(sent.length).toBeGreaterThan(0);
    expect(sorted(ofShim.map(([name]) => name).filter((name) => name?.startsWith("SIG")))).toEqual(
      sorted([...sent, ...own]),
    );
  });

  test("has the line of a shim, with the signals that the shim traps and the supervisor reads", () => {
    const [message = ""] = ofShim[0] ?? [];
    expect(quoted(message)).toEqual(["PID NUMBER [STATUS] [SIGNAL]"]);
    const trapped = SHIM.match(/^for signal in (.*); do trap/m)?.[1]?.split(" ") ?? [];
    const named = quoted(meaningOf(ofShim, message)).filter((word) => /^[A-Z]{3,4}$/.test(word));
    expect(sorted(named)).toEqual(sorted(trapped));
    expect(trapped.map((signal) => askIn(`17 2 143 ${signal}`))).toEqual(
      trapped.map(() => ({ pid: 17, number: 2, status: 143, isHit: true })),
    );
    expect(askIn("17 1 ")).toEqual({ pid: 17, number: 1, status: undefined });
    expect(askIn("17 2 0 USR1")).toBeUndefined();
  });

  test("has every kind of line that nixgate read-request reports", () => {
    const [kinds = ""] = allOf(foldersText("src/supervisor"), /\/\^\(([a-z|-]+)\):/g);
    const named = quoted(meaningOf(ofShim, "`LINE:HEX`")).filter((word) => /^[a-z]+(?:-[a-z]+)?$/.test(word));
    expect(sorted(named)).toEqual(sorted(kinds.split("|")));
  });

  test("has every kind of answer", () => {
    const made = Object.keys(shimAnswers).flatMap((name) => /^answerTo(\w+)$/.exec(name)?.[1]?.toLowerCase() ?? []);
    const listed = tableUnder(section("Shim and supervisor"), "answer").map(([name]) => name);
    expect(sorted(listed)).toEqual(sorted(made));
  });

  test("has every status by which a shim reports that it did not run the program, with its meaning", () => {
    const answer = textOf("src/session/shim-answers.ts");
    const rows = tableUnder(section("Shim and supervisor"), "status");
    expect(sorted(rows.map(([status]) => status))).toEqual(sorted(allOf(answer, /\bstatus=(9\d\d)\b/g)));
    expect(rows.map(([, meaning]) => meaning)).toEqual(rows.map(([s]) => shimAnswers.lookOfShim(Number(s))));
  });
});

test("docs/protocol.md has every message that root can send to the supervisor, as the supervisor reads it", () => {
  const messages = ofRoot.flatMap(([message = ""]) => quoted(message));
  const [toKill = "", toServe = ""] = messages;
  expect(killIn(toKill.replace("PID", "17").replace("TEAM", "alpha"))).toEqual({ pid: 17, team: "alpha" });
  expect(servingAskIn(toServe.replace("WORD", "0123456789abcdef"))).toBe("0123456789abcdef");
  expect(messages).toHaveLength(allOf(textOf("src/supervisor/lines.ts"), /\/\^([a-z]+) /g).length);
  expect(section("Root and supervisor")).toContain(`\`/run/nixgate/${CONTROL}\``);
});

describe("docs/protocol.md, holder and nixgate", () => {
  const firstWords = (way: string) =>
    ofHolder.filter(([, from]) => from === way).flatMap(([name = ""]) => quoted(name).map((m) => m.split(" ")[0]));

  test("has every message that nixgate sends and the holder knows", () => {
    const sent = allOf(foldersText("src"), /\bchannel\.write\("(\w+)\\n"\)/g);
    const known = allOf(HOLDER, /"\$word" !?= (\w+) \]/g);
    expect(sorted(firstWords("nixgate → holder"))).toEqual(sorted(sent));
    expect(sorted(known)).toEqual(sorted(sent));
  });

  test("has every message that the holder sends", () => {
    const sent = allOf(HOLDER, /echo "?(\w+)[^\n]*>&4$/gm);
    expect(sorted(firstWords("holder → nixgate"))).toEqual(sorted(sent));
  });

  test("has the signals of which the holder tells", () => {
    const trapped = HOLDER.match(/^ *for signal in (.*); do trap/m)?.[1]?.split(" ") ?? [];
    const named = quoted(meaningOf(ofHolder, "`hit SIGNAL`")).filter((word) => /^[A-Z]+$/.test(word));
    expect(sorted(named)).toEqual(sorted(trapped));
  });
});
