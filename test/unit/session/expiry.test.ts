import { expect, test } from "vitest";
import { readHostConfig } from "../../../src/policy/read-host-config.ts";
import { readPolicy } from "../../../src/policy/read-policy.ts";
import { untilExpiry } from "../../../src/session/expiry.ts";

const UNTIL = Date.parse("2027-03-01T12:00:00Z");
const MEMBERS = '[[member]]\nname = "ci"\nuntil = 2027-03-01T12:00:00Z\n[[member]]\nname = "ada"\n';

test.each([
  ["ci", UNTIL - 1, true],
  ["ci", UNTIL, false],
  ["ci", UNTIL + 1, false],
  ["ada", UNTIL, true],
  [undefined, UNTIL, true],
])("%s at %i", async (member, at, admitted) => {
  const policy = await readPolicy(`schema = 1\nteam = "alpha"\n${MEMBERS}`, "alpha.toml");
  const host = await readHostConfig("schema = 1\n", "nixgate.toml");
  if (!policy.ok || !host.ok) throw new Error("the configuration has an error");
  const source = { path: "alpha.toml", sha256: "" };
  const found = {
    ok: true,
    directory: "/etc/nixgate",
    host: host.value,
    policy: policy.value,
    source,
    lockOn: () => undefined,
  } as const;
  expect(
    untilExpiry(found, { forced: { team: "alpha", member }, arrived: { startedAt: at, arrivedAt: 0 } }),
  ).toMatchObject(admitted ? found : { ok: false, refusal: { reason: "member-expired", status: 77 } });
});
