import { expect, test } from "vitest";
import type { Limits, Manager } from "../../../src/policy/policy.ts";
import { commandLine, EXPAND_NOTHING } from "../../../src/scope/command-line.ts";
import type { Bytes } from "../../../src/units/quantities.ts";

const HOLDER = "/usr/lib/nixgate/nixgate-holder";

function line(
  manager: Manager,
  {
    argv = ["/bin/nix-store", "--serve"],
    limits = {},
  }: { readonly argv?: readonly [string, ...string[]]; readonly limits?: Limits } = {},
) {
  const plan = {
    manager,
    unit: "nixgate-alpha-1.scope",
    slice: "nixgate-alpha.slice",
    description: "command 1",
    argv,
    properties: [
      { name: "TasksMax", value: "256" },
      { name: "RuntimeMaxSec", value: "1min 30s" },
    ],
    environment: { HOME: "/home/a b", PATH: "/bin" },
  };
  return commandLine(plan, limits, HOLDER);
}

test("the account's manager makes a scope with every property, and the holder in front of the command", () => {
  expect(line("user")).toEqual([
    "systemd-run",
    "--user",
    "--scope",
    "--collect",
    "--unit=nixgate-alpha-1.scope",
    "--slice=nixgate-alpha.slice",
    "--description=command 1",
    "--property=TasksMax=256",
    "--property=RuntimeMaxSec=1min 30s",
    "--",
    "/bin/sh",
    HOLDER,
    "scope",
    ...["setpriv", "--no-new-privs", "--"],
    "/bin/nix-store",
    "--serve",
  ]);
});

test("under the system manager the command begins with its own environment and no way to more privileges", () => {
  const own = ["HOME=/home/a b", "PATH=/bin"];
  expect(line("system")).toEqual([
    ...["env", "-i", ...own],
    ...["setpriv", "--no-new-privs", "--"],
    ...["/bin/nix-store", "--serve"],
  ]);
});

test.each<[string, Limits, string[]]>([
  ["neither limit", {}, []],
  ["tasks", { TasksMax: 256 }, ["--nproc=256"]],
  ["memory", { MemoryMax: 4096 as Bytes }, ["--data=4096"]],
  ["limits that bound nothing", { TasksMax: "infinity", MemoryMax: "infinity" }, []],
])("without a manager the process gets rlimits and no core: %s", (_, limits, options) => {
  const held = ["/bin/sh", HOLDER, "process", "setpriv", "--no-new-privs", "--", "/bin/nix-store", "--serve"];
  expect(line("none", { limits })).toEqual(["prlimit", "--core=0", ...options, "--", ...held]);
});

test.each<[readonly [string, ...string[]], boolean]>([
  [["/bin/sh", "-c", "echo $HOME"], true],
  [["/opt/$x/nix-store"], true],
  [["/bin/nix-store", "--serve"], false],
])("systemd-run gets the option against expansion where a word has a $: %j, %s", (argv, told) => {
  expect(line("user", { argv }).includes(EXPAND_NOTHING)).toBe(told);
});
