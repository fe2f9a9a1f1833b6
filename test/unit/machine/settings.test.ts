import { expect, test } from "vitest";
import { settings } from "../../../tools/machine/settings.ts";

test("a guest is trixie with the user manager when the environment says nothing", () => {
  expect(settings({})).toMatchObject({ suite: "trixie", name: "default", memory: "1536M", manager: "user" });
});

test("the manager may be the system's", () => {
  expect(settings({ MANAGER: "system" })).toMatchObject({ manager: "system" });
});

test.each([
  [{ SUITE: "sarge" }, /SUITE=sarge/],
  [{ KERNEL: "sarge" }, /KERNEL=sarge/],
  [{ NAME: "../up" }, /NAME=/],
  [{ MEM: "lots" }, /MEM=lots/],
  [{ MANAGER: "none" }, /no such manager/],
])("refuses %o", (environment, message) => {
  expect(() => settings(environment)).toThrow(message);
});
