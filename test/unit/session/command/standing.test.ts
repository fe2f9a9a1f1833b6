import { expect, test } from "vitest";
import type { HostConfig } from "../../../../src/policy/policy.ts";
import { asItStands, type Standing } from "../../../../src/session/command/standing.ts";
import { ExitStatus } from "../../../../src/units/exit-status.ts";
import { readyConfiguration } from "../../../support/fake-ports.ts";

const configuration = (scope: Partial<HostConfig["scope"]>) =>
  readyConfiguration({ host: { scope: { manager: "system", require: true, confine: false, ...scope } } });
const SOUND: Standing = {
  notBySshd: undefined,
  shell: "/bin/sh",
  pamReadsHome: false,
  ptraceScope: 1,
  showsInodes: true,
};

test.each<[string, Partial<Standing>, Partial<HostConfig["scope"]>]>([
  ["by sshd, with dash", { shell: "/usr/bin/dash" }, {}],
  ["with a kernel that forbids more", { ptraceScope: 3 }, { confine: true }],
  ["by a kernel before Linux 5.14, where nothing is confined", { showsInodes: false }, {}],
  ["without Yama, where no scope is required", { ptraceScope: undefined }, { require: false }],
])("a shim is served %s", (_, standing, scope) => {
  const given = configuration(scope);
  expect(asItStands(given, { ...SOUND, ...standing })).toBe(given);
});

test.each<[string, Partial<Standing>, Partial<HostConfig["scope"]>, string, number]>([
  ["sshd did not start", { notBySshd: "its parent is not sshd" }, { require: false }, "not-by-sshd", 77],
  ["comes by bash", { shell: "/bin/bash" }, { require: false }, "policy-invalid", 78],
  ["comes by a shell that only sounds like sh", { shell: "/usr/bin/zsh" }, {}, "policy-invalid", 78],
  ["has variables from the account's home", { pamReadsHome: true }, { require: false }, "policy-invalid", 78],
  ["a command could trace", { ptraceScope: 0 }, {}, "scope-unavailable", 69],
  ["nothing keeps from being traced", { ptraceScope: undefined }, {}, "scope-unavailable", 69],
  ["is to be confined before Linux 5.14", { showsInodes: false }, { confine: true }, "scope-unavailable", 69],
  ["a confined command could trace", { ptraceScope: 0 }, { require: false, confine: true }, "scope-unavailable", 69],
])("a shim that %s is refused", (_, standing, scope, reason, status) => {
  expect(asItStands(configuration(scope), { ...SOUND, ...standing })).toMatchObject({
    ok: false,
    refusal: { reason, status },
  });
});

test("what sshd did not start is refused as that, whatever the policy says", () => {
  const refusal = { reason: "unknown-team", message: "", status: ExitStatus.config } as const;
  const refused = { ok: false, directory: "/", host: undefined, refusal, lockOn: () => undefined } as const;
  expect(asItStands(refused, { ...SOUND, shell: "/bin/bash" })).toBe(refused);
  expect(asItStands(refused, { ...SOUND, notBySshd: "it is gone" })).toMatchObject({
    refusal: { reason: "not-by-sshd" },
  });
});
