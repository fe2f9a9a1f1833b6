import { execFileSync } from "node:child_process";
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { AdmissionUnavailable } from "../../src/session/admission-unavailable.ts";
import { createStartCounter } from "../../src/standalone/starts.ts";
import { newSessionId } from "../../src/system/kernel/machine.ts";
import { temporaryFolder } from "../support/temporary.ts";

const NAME = "team-alpha@0123456789ab";
const minute = () => Math.floor(Number.parseFloat(readFileSync("/proc/uptime", "latin1")) / 60);
/** Names of the files of this minute and of the next, should it begin while a test runs. */
const soon = () => [minute(), minute() + 1].map((it) => `${NAME}.${it}`);

test("starts stand in their order, and no more are written down than count", () => {
  const top = temporaryFolder("starts");
  const count = createStartCounter([[top, "nixgate"]]);
  const ids = Array.from({ length: 5 }, () => newSessionId(Date.now()));
  const lists = ids.map((id) => count(NAME, id, 3));
  expect(lists.map((list) => list.length)).toEqual([1, 2, 3, 3, 3]);
  expect(lists.at(-1)).toEqual(ids.slice(0, 3));
  expect(readdirSync(`${top}/nixgate`).length).toBe(1);
});

test("teams are counted apart", () => {
  const count = createStartCounter([[temporaryFolder("starts"), "nixgate"]]);
  count(NAME, newSessionId(Date.now()), 9);
  expect(count("team-beta@0123456789ab", newSessionId(Date.now()), 9).length).toBe(1);
});

test("where there is no runtime folder the next one is taken", () => {
  const top = temporaryFolder("starts");
  const count = createStartCounter([
    [`${top}/missing`, "nixgate"],
    [top, "nixgate-0"],
  ]);
  expect(count(NAME, newSessionId(Date.now()), 9).length).toBe(1);
  expect(readdirSync(top)).toEqual(["nixgate-0"]);
});

test("the first start of a minute removes lists of other minutes, and nothing else", () => {
  const top = temporaryFolder("starts");
  mkdirSync(`${top}/nixgate`, { mode: 0o700 });
  const now = 20; // the host itself may have booted a moment ago
  const old = [`${NAME}.${now - 2}`, `team-beta@0123456789ab.3`, `${NAME}.${now + 5}`];
  const kept = [`${NAME}.${now - 1}`, "notes", "notes.3"];
  for (const name of [...old, ...kept]) writeFileSync(`${top}/nixgate/${name}`, "x\n");
  createStartCounter([[top, "nixgate"]], () => now)("team-gamma@0123456789ab", newSessionId(Date.now()), 9);
  const left = readdirSync(`${top}/nixgate`).filter((name) => !name.startsWith("team-gamma"));
  expect(left.sort()).toEqual(kept.sort());
});

describe("no start is admitted where the list cannot be trusted:", () => {
  test.each<[string, (top: string) => void, RegExp]>([
    ["the folder is a link", (top) => symlinkSync(temporaryFolder("elsewhere"), `${top}/nixgate`), /a link/],
    [
      "others can write in the folder",
      (top) => {
        mkdirSync(`${top}/nixgate`);
        chmodSync(`${top}/nixgate`, 0o777);
      },
      /others can write/,
    ],
    ["the folder is a file", (top) => writeFileSync(`${top}/nixgate`, ""), /not a folder/],
    [
      "the list is a link",
      (top) => {
        mkdirSync(`${top}/nixgate`);
        for (const name of soon()) symlinkSync(`${top}/target`, `${top}/nixgate/${name}`);
      },
      /ELOOP/,
    ],
    [
      "the list is a folder",
      (top) => {
        for (const name of soon()) mkdirSync(`${top}/nixgate/${name}`, { recursive: true });
      },
      /EISDIR/,
    ],
    [
      "the list is a pipe",
      (top) => {
        mkdirSync(`${top}/nixgate`);
        for (const name of soon()) execFileSync("mkfifo", [`${top}/nixgate/${name}`]);
      },
      /not a regular file/,
    ],
    ["there is no place for it", (top) => chmodSync(top, 0o777), /others can write/],
  ])("%s", (_, spoil, words) => {
    const top = temporaryFolder("starts");
    spoil(top);
    const start = () => createStartCounter([[top, "nixgate"]])(NAME, newSessionId(Date.now()), 9);
    expect(start).toThrow(AdmissionUnavailable);
    expect(start).toThrow(words);
    expect(readdirSync(top)).not.toContain("target");
  });
});

test.runIf(process.getuid?.() === 0)("files of another account are not trusted", () => {
  const top = temporaryFolder("starts");
  mkdirSync(`${top}/nixgate`, { mode: 0o700 });
  const count = createStartCounter([[top, "nixgate"]]);
  for (const name of soon()) {
    writeFileSync(`${top}/nixgate/${name}`, "");
    chownSync(`${top}/nixgate/${name}`, 65534, 65534);
  }
  expect(() => count(NAME, newSessionId(Date.now()), 9)).toThrow(/not a regular file of the account's/);
  chownSync(`${top}/nixgate`, 65534, 65534);
  expect(() => count(NAME, newSessionId(Date.now()), 9)).toThrow(/belongs to uid 65534/);
});
