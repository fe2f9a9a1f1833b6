import { expect, test } from "vitest";
import type { AllowRule } from "../../../src/policy/policy.ts";
import { confinement } from "../../../src/scope/confinement.ts";

const endpoint = (stores: readonly string[]): AllowRule => ({
  ...{
    kind: "endpoint",
    name: "allow[0]",
    endpoint: "daemon-stdio",
    processOps: false,
    readOnly: false,
    environment: {},
  },
  stores,
});
const propertyOf = (rule: AllowRule, name: string) => confinement(rule).find((one) => one.name === name)?.value;

test("each property goes to the bus under its own name, and once", () => {
  const all = confinement(endpoint(["local?root=/srv/a"]));
  for (const { name, bus } of all) expect(bus[0]).toBe(name);
  expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
});

test.each([
  [["local?root=/srv/nixgate/alpha"], "/srv/nixgate/alpha"],
  [["local?real=/x&root=/srv/a", "local?root=/srv/b#c", "daemon"], "/srv/a /srv/b"],
  [["unix:///run/nix.sock"], undefined],
  [["local?notroot=/etc"], undefined],
  [["ssh://x?root=/etc"], undefined],
  [[], undefined],
])("the roots of the stores %j stay writable: %s", (stores, writable) => {
  expect(propertyOf(endpoint(stores), "ReadWritePaths")).toBe(writable);
});

test("an exact request has nothing writable", () => {
  const rule: AllowRule = { kind: "custom", name: "allow[0]", request: ["x"], run: ["/bin/x"], environment: {} };
  expect(propertyOf(rule, "ReadWritePaths")).toBeUndefined();
  expect(propertyOf(rule, "ProtectSystem")).toBe("strict");
});
