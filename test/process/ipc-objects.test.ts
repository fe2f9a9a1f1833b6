import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { mayHaveObjects } from "../../src/supervisor/ipc-objects.ts";
import { temporaryFolder } from "../support/temporary.ts";

const UID = 3_987_002;
const own = process.getuid?.() ?? 0;
const HEAD = "       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n";
const row = (uid: number, cuid: number) =>
  `         0          1   600          1 ${uid} 0 ${cuid} 0          0 1794000000\n`;

function table(text: string): string {
  const path = join(temporaryFolder("sysvipc"), "sem");
  writeFileSync(path, text);
  return path;
}

test.each([
  ["its owner", row(UID, 0), true],
  ["its creator", row(0, UID), true],
  ["another account's", row(own, UID + 1), false],
  // an account may make so many that a bounded look sees no others
  ["behind more than is read", row(0, 0).repeat(1000), true],
])("an object of the table is the account's by the uid: %s", (_, rows, expected) => {
  expect(mayHaveObjects(UID, [table(HEAD + rows)], [])).toBe(expected);
});

test("a file in the folder is its owner's, and a folder that is not there has none", () => {
  const folder = temporaryFolder("shm");
  writeFileSync(join(folder, "one"), "");
  expect(mayHaveObjects(own, [], [folder])).toBe(true);
  expect(mayHaveObjects(UID, [], [folder, join(folder, "none")])).toBe(false);
  for (let count = 0; count < 1000; count += 1) writeFileSync(join(folder, `${count}`), "");
  expect(mayHaveObjects(UID, [], [folder])).toBe(true);
});
