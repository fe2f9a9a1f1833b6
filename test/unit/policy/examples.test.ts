import { readdirSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";
import type { HostConfig } from "../../../src/policy/policy.ts";
import { readHostConfig } from "../../../src/policy/read-host-config.ts";
import { readPolicy } from "../../../src/policy/read-policy.ts";
import { crossCheck } from "../../../src/policy/rules/cross-check.ts";
import { HOST } from "../../support/config-folder.ts";

const examples = readdirSync("policies").map((name) => ({
  path: `policies/${name}`,
  text: readFileSync(`policies/${name}`, "utf8"),
}));

test("there are four examples", () => {
  expect(examples.map(({ path }) => path)).toEqual([
    "policies/ci.toml",
    "policies/mirror.toml",
    "policies/untrusted.toml",
    "policies/workstations.toml",
  ]);
});

test.each(examples)("$path is valid, allows something, and names its members", async ({ text, path }) => {
  const read = await readPolicy(text, path);
  expect(read.problems).toEqual([]);
  expect(read).toMatchObject({ value: { allow: [expect.anything(), ...(read.ok ? read.value.allow.slice(1) : [])] } });
  expect(read.ok && read.value.members.every(({ keys }) => keys.length > 0)).toBe(true);
});

test("the examples go together on one host", async () => {
  const host = (await readHostConfig(HOST, "nixgate.toml")) as { value: HostConfig };
  const read = await Promise.all(
    examples.map(async (source) => ({ source, read: await readPolicy(source.text, source.path) })),
  );
  const sourced = read.flatMap(({ source, read }) => (read.ok ? [{ source, policy: read.value }] : []));
  expect(sourced).toHaveLength(4);
  expect(await crossCheck(host.value, sourced)).toEqual([]);
});
