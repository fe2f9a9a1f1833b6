import { describe, expect, test } from "vitest";
import type { Allow } from "../../../src/decision/decision.ts";
import type { HostConfig, Limits, Policy } from "../../../src/policy/policy.ts";
import { hostConfig, LIMITS, SESSION } from "../../../src/policy/schema/defaults.ts";
import { planScope } from "../../../src/scope/plan.ts";
import { makeSessionId } from "../../../src/units/ids.ts";
import type { Bytes, Milliseconds } from "../../../src/units/quantities.ts";

const SESSION_ID = makeSessionId(0, new Uint8Array(10));
const ROOT = "/srv/nixgate/alpha";

function plan(scope: Partial<HostConfig["scope"]> = {}, { limits = LIMITS as Limits, teamLimits = {}, n = 1 } = {}) {
  const host = hostConfig({ schema: 1 });
  const decision = {
    kind: "allow",
    rule: { kind: "endpoint", stores: [`local?root=${ROOT}`], environment: { NIX_REMOTE: "daemon" } },
    argv: ["/opt/nix-daemon", "--stdio"],
  };
  const session = { ...SESSION, stopTimeout: 7000 as Milliseconds };
  return planScope(decision as unknown as Allow, {
    host: { ...host, scope: { ...host.scope, ...scope } },
    policy: { team: "alpha", limits, teamLimits, session, builds: { boundedBy: "host", trust: false } } as Policy,
    session: SESSION_ID,
    n,
    account: { name: "nix-alpha", uid: 990, home: "/" },
    holder: "/holder",
  });
}

const value = (properties: ReturnType<typeof plan>["properties"], name: string) =>
  properties.find((property) => property.name === name)?.value;

test("it says which team, session and command it is for", () => {
  expect(plan({}, { n: 3 })).toMatchObject({
    manager: "user",
    unit: `nixgate-alpha-${SESSION_ID}-3.scope`,
    slice: "nixgate-alpha.slice",
    description: `nixgate session ${SESSION_ID} of team alpha, command 3`,
    argv: ["/opt/nix-daemon", "--stdio"],
  });
});

test("the command has the limits, the patience and the environment of its policy", () => {
  const { properties, environment, stopTimeout, runtimeMax } = plan();
  expect(properties.map((property) => `${property.name}=${property.value}`)).toEqual([
    ...["TasksMax=256", "MemoryMax=2G", "RuntimeMaxSec=4h"],
    "TimeoutStopSec=7s",
  ]);
  expect(environment).toMatchObject({ NIX_REMOTE: "daemon", USER: "nix-alpha", XDG_RUNTIME_DIR: "/run/user/990" });
  expect({ stopTimeout, runtimeMax }).toEqual({ stopTimeout: 7000, runtimeMax: 14_400_000 });
});

test("under the system manager systemd is more patient than the supervisor", () => {
  const { properties, stopTimeout } = plan({ manager: "system" });
  expect({ systemd: value(properties, "TimeoutStopSec"), stopTimeout }).toEqual({ systemd: "12s", stopTimeout: 7000 });
});

test.each(["user", "system"] as const)("under %s systemd's own run time limit comes after nixgate's", (manager) => {
  const { properties, unitProperties, commandLine } = plan({ manager });
  expect([value(properties, "RuntimeMaxSec"), value(unitProperties, "RuntimeMaxSec")]).toEqual(["4h", "4h 5s"]);
  expect(commandLine.includes("--property=RuntimeMaxSec=4h 5s")).toBe(manager === "user");
});

test("what runs is the plan's own unit, properties and environment", () => {
  const made = plan();
  expect(made.commandLine).toContain(`--unit=${made.unit}`);
  expect(made.commandLine).toContain("--property=TimeoutStopSec=7s");
  expect(made.commandLine.slice(-8)).toEqual([
    "/bin/sh",
    "/holder",
    "scope",
    "setpriv",
    "--no-new-privs",
    "--",
    ...made.argv,
  ]);
  expect(plan({ manager: "system" }).commandLine).toContain("NIX_REMOTE=daemon");
});

test.each([
  ["system", true, "service", true],
  ["system", false, "scope", false],
  ["user", true, "scope", false],
  ["none", true, "scope", false],
] as const)("under %s with confine = %s the command has a %s, and a sandbox: %s", (manager, confine, kind, has) => {
  const { unit, confinement } = plan({ manager, confine });
  expect(unit.endsWith(`.${kind}`)).toBe(true);
  expect(confinement !== undefined).toBe(has);
});

test("a store that the rule lists stays writable in the sandbox", () => {
  const { confinement } = plan({ manager: "system", confine: true });
  expect(confinement && value(confinement, "ReadWritePaths")).toBe(ROOT);
});

describe("what is read back", () => {
  const limits: Limits = { TasksMax: 64, MemoryMax: 5000 as Bytes };

  test.each([
    ["user", ["pids.max 64", "memory.max 4096"]],
    ["system", ["pids.max 64", "memory.max 4096"]],
    ["none", ["Max processes 64", "Max data size 5000"]],
  ] as const)("under %s: %j", (manager, found) => {
    const { expectations } = plan({ manager }, { limits });
    expect(expectations.map(({ file, value }) => `${file} ${value}`)).toEqual(found);
  });

  test("of the team is the team's limit", () => {
    const { team } = plan({}, { limits, teamLimits: { TasksMax: 512 } });
    expect(value(team.properties, "TasksMax")).toBe("512");
    expect(team.expectations).toContainEqual({ property: "TasksMax", file: "pids.max", value: "512" });
  });
});

test.each<Limits>([{}, { RuntimeMaxSec: "infinity" }])("by %j the command may run for ever", (limits) => {
  expect(plan({}, { limits }).runtimeMax).toBeUndefined();
});
