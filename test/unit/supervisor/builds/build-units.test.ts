import { expect, test } from "vitest";
import type { Plan } from "../../../../src/scope/plan.ts";
import { unitsBeside } from "../../../../src/supervisor/builds/build-units.ts";

const PLAN = {
  unit: "u.scope",
  slice: "s.slice",
  description: "command 1",
  stopTimeout: 2000,
  sliceProperties: [{ name: "TasksMax", value: "64" }],
  buildDaemon: {
    ...{
      socket: "u-builds.socket",
      service: "u-builds.service",
      folder: "/f",
      path: "/f/1",
      confFolder: "/f/c",
      conf: "",
    },
    argv: ["/opt/nix-daemon", "--daemon", "--store", "local"],
  },
} as unknown as Plan;

const properties = (name: string) =>
  Object.fromEntries(
    unitsBeside(PLAN, 990)
      ?.units.find((unit) => unit.name === name)
      ?.properties.map(([key, , value]) => [key, value]) ?? [],
  );

test("the limits are the slice's, and it goes with its last unit", () => {
  expect(properties("s.slice")).toMatchObject({ TasksMax: 64n, StopWhenUnneeded: true });
});

test("the socket is root's: the account's group may connect, and the account cannot open it to others", () => {
  const socket = properties("u-builds.socket");
  expect(socket).toMatchObject({ Listen: [["Stream", "/f/1"]], SocketGroup: "990", SocketMode: 0o660 });
  expect(socket).toMatchObject({ RemoveOnStop: true, BindsTo: ["u.scope"], Slice: "s.slice" });
  expect(socket).not.toHaveProperty("SocketUser");
});

test("the daemon is in the slice, ends with the command, opens its own store and cannot let anybody collect garbage", () => {
  expect(properties("u-builds.service")).toMatchObject({
    ...{
      Slice: "s.slice",
      BindsTo: ["u.scope"],
      ReadOnlyPaths: ["/nix/var/nix/gc-socket"],
      TimeoutStopUSec: 2_000_000n,
    },
    ExecStart: [["/opt/nix-daemon", ["nix-daemon", "--daemon", "--store", "local"], false]],
    Environment: ["NIX_CONF_DIR=/f/c", "NIX_USER_CONF_FILES=/dev/null"],
  });
});

test("there are none where another daemon builds", () => {
  expect(unitsBeside({ ...PLAN, buildDaemon: undefined }, 990)).toBeUndefined();
});
