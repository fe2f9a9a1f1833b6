import { expect, test } from "vitest";
import { unsafeWay } from "../../../../src/system/kernel/unsafe-way.ts";

const PROGRAM = process.execPath; // its path, links resolved, is one of folders
const way = (change: (path: string) => { uid?: number; mode?: number }) =>
  unsafeWay(PROGRAM, (path) => ({ uid: 0, mode: 0o40755, ...change(path) }));

test.each([
  ["the store's folder, sticky and a group's", { mode: 0o41775 }, { uid: 0, mode: 0o1775 }],
  ["Debian's local folder of the staff group", { mode: 0o42775 }, { uid: 0, mode: 0o2775 }],
  ["one for everybody", { mode: 0o40757 }, { uid: 0, mode: 0o757 }],
  ["one of another account", { uid: 1000 }, { uid: 1000, mode: 0o755 }],
])("sshd takes no command from below %s", (_, change, found) => {
  expect(way(() => ({}))).toBeUndefined();
  expect(way((path) => (path === "/" ? change : {}))).toEqual({ path: "/", ...found });
});

test("a program that does not exist is for somebody else to say", () => {
  expect(unsafeWay("/nonexistent/nixgate")).toBeUndefined();
});
