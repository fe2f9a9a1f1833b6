import { expect, test } from "vitest";
import { obstacle } from "../../../tools/machine/host.ts";

const good = { platform: "linux", arch: "x64", uid: 0, isDebian: true, hasTun: true };

test("a root's Debian with a tun device can run a guest", () => {
  expect(obstacle(good)).toBeUndefined();
});

test.each([
  [{ platform: "darwin" }, /darwin/],
  [{ arch: "arm64" }, /arm64/],
  [{ isDebian: false }, /not a Debian/],
  [{ uid: 1000 }, /not root/],
  [{ hasTun: false }, /\/dev\/net\/tun is missing/],
])("a machine with %o says in one line why it cannot", (lack, reason) => {
  const said = obstacle({ ...good, ...lack });
  expect(said).toMatch(reason);
  expect(said).not.toContain("\n");
});
