import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { holdRoom, ROOM_BYTES, takeOverRoom } from "../../../../src/supervisor/shim/answer-room.ts";

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), "nixgate-room-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

test("every answer of a shim lies in the same file, which is made before the first", () => {
  const path = folder();
  const room = holdRoom(path);
  const [held] = readdirSync(path);
  const { ino } = statSync(join(path, held as string));
  for (const [name, text] of [
    ["7-1", "exit 3\n"],
    ["7-2", "exit 12345\n"],
  ] as const) {
    room?.write(name, text);
    expect(readdirSync(path)).toEqual([name]);
    expect(statSync(join(path, name))).toMatchObject({ ino, size: ROOM_BYTES });
    expect(readFileSync(join(path, name), "utf8").trimEnd()).toBe(text.trimEnd());
  }
  room?.clear();
  expect(readdirSync(path)).toEqual([held]);
});

test("an answer that is longer has a file of its own, and leaves none behind", () => {
  const path = folder();
  const room = holdRoom(path);
  room?.write("7-1", "x".repeat(ROOM_BYTES + 1));
  expect(readFileSync(join(path, "7-1"), "utf8")).toHaveLength(ROOM_BYTES + 1);
  room?.clear();
  expect(() => room?.write("n".repeat(252), "x".repeat(ROOM_BYTES + 1))).toThrow("ENAMETOOLONG");
  expect(readdirSync(path)).toHaveLength(1);
});

test("where there is no room nothing is held, and nothing stays", () => {
  expect(holdRoom("/nowhere/nixgate")).toBeUndefined();
});

test("the answers of an earlier supervisor are nobody's, and their files are room for the next shims", () => {
  const path = folder();
  writeFileSync(join(path, "7-1"), Buffer.alloc(ROOM_BYTES, "exit 0\n"));
  writeFileSync(join(path, "7-1.new"), "");
  takeOverRoom(path);
  const spares = readdirSync(path);
  expect(spares).toEqual([expect.stringMatching(/^spare-/)]);
  holdRoom(path)?.write("8-1", "exit 1\n");
  expect(readdirSync(path)).toEqual(["8-1"]);
});
