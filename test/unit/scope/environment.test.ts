import { expect, test } from "vitest";
import { commandEnvironment, PATH } from "../../../src/scope/environment.ts";

const account = { name: "nix-alpha", uid: 990, home: "/var/lib/nix-alpha" };
const own = {
  HOME: "/var/lib/nix-alpha",
  USER: "nix-alpha",
  LOGNAME: "nix-alpha",
  PATH,
  SHELL: "/bin/sh",
  LANG: "C.UTF-8",
};

test.each(["system", "none"] as const)("under the manager %s it is the account's, and nothing else", (manager) => {
  expect(commandEnvironment(account, {}, manager)).toEqual(own);
});

test("under the account's own manager its bus stands where systemd puts it", () => {
  expect(commandEnvironment(account, {}, "user")).toEqual({
    ...own,
    XDG_RUNTIME_DIR: "/run/user/990",
    DBUS_SESSION_BUS_ADDRESS: "unix:path=/run/user/990/bus",
  });
});

test("a policy adds to it and replaces nothing in it", () => {
  const hostile = Object.fromEntries(Object.keys(own).map((name) => [name, "/tmp"]));
  const policy = { ...hostile, XDG_RUNTIME_DIR: "/tmp", DBUS_SESSION_BUS_ADDRESS: "unix:path=/tmp", NIX_REMOTE: "" };
  const environment = commandEnvironment(account, policy, "user");
  expect(environment).toMatchObject({ ...own, XDG_RUNTIME_DIR: "/run/user/990", NIX_REMOTE: "" });
  expect(Object.values(environment).filter((value) => value.includes("/tmp"))).toEqual([]);
});

test("programs are looked for in absolute folders only", () => {
  for (const folder of PATH.split(":")) expect(folder).toMatch(/^\/[^.]/);
});
