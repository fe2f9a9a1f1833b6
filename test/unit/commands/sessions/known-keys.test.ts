import { expect, test } from "vitest";
import { knownKeys } from "../../../../src/commands/sessions/known-keys.ts";
import { readPolicy } from "../../../../src/policy/read-policy.ts";
import { fingerprintsOf } from "../../../../src/policy/rules/certificates.ts";
import { exampleKey } from "../../../support/keys.ts";

const [A = "", B = "", C = ""] = fingerprintsOf([exampleKey(1), exampleKey(2), exampleKey(3)]);
const POLICY = `schema = 1
team = "alpha"
[[member]]
name = "ci"
keys = ["${exampleKey(1)}", "${exampleKey(2)}"]
until = 2027-03-01
[[member]]
name = "ada"
principals = ["ada"]
`;

async function known() {
  const policy = await readPolicy(POLICY, "alpha.toml");
  if (!policy.ok) throw new Error("the policy has an error");
  return knownKeys([policy.value]);
}
const came = (key: string, start: string, client: string, member = "ci", team = "alpha") => ({
  ...{ key, start, client, member, team },
});

test("a key has its first and last session, in whatever order they are read, and each address once", async () => {
  const keys = await known();
  for (const day of ["2026-11-03", "2026-11-01", "2026-11-02"])
    keys.add(came(A, `${day}T00:00:00.000Z`, `10.0.0.${day.at(-1)}`));
  keys.add(came(A, "2026-11-02T01:00:00.000Z", "10.0.0.1"));
  keys.add(came(C, "2026-11-02T01:00:00.000Z", "10.0.0.9", "ada"));
  keys.add(came(C, "2026-11-02T01:00:00.000Z", "10.0.0.9", "eve"));
  keys.add(came(A, "2026-11-02T01:00:00.000Z", "10.0.0.9", "ci", "beta"));
  expect(keys.result()).toMatchObject({
    keys: [
      {
        ...{ team: "alpha", member: "ci", key: A, state: "listed", until: "2027-03-01T00:00:00.000Z", sessions: 4 },
        ...{ first: "2026-11-01T00:00:00.000Z", last: "2026-11-03T00:00:00.000Z" },
        addresses: ["10.0.0.3", "10.0.0.1", "10.0.0.2"],
      },
      { key: B, state: "listed", sessions: 0, first: undefined, addresses: [] },
      { key: C, member: "ada", state: "certificate", sessions: 2 },
      { key: A, team: "beta", state: "unlisted", sessions: 1 },
    ],
    more: 0,
  });
});

test("keys that an account makes up in its records do not fill the memory, and hide no key of a policy", async () => {
  const keys = await known();
  for (let made = 0; made < 10_005; made += 1) keys.add(came(`SHA256:${made}`, "2026-11-02T00:00:00.000Z", "10.0.0.1"));
  for (let made = 0; made < 200; made += 1) keys.add(came(B, "2026-11-02T00:00:00.000Z", `10.0.1.${made}`));
  const { keys: all, more } = keys.result();
  expect([all.length, more]).toEqual([10_002, 5]);
  expect(all[1]).toMatchObject({ key: B, sessions: 200 });
  expect(all[1]?.addresses).toHaveLength(100);
});
