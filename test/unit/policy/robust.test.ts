import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readPolicy } from "../../../src/policy/read-policy.ts";
import { randomFrom } from "../../support/random.ts";

const PIECES = [
  ..."[]{}=\"'\\#,.\n\r\t\0 -+_0123456789einfatruZ:\ud800é\ufeff",
  "[[allow]]",
  "\n[limits]\n",
  '"""',
  "'''",
  "__proto__",
  "constructor",
  "inf",
  "nan",
  "1e309",
  "0x10",
  "1979-05-27",
  "07:32:00",
  "true",
  "\nx.y.z = { a.b = 1 }\n",
];
const toml = readFileSync("policies/ci.toml", "utf8");
const json = JSON.stringify(
  {
    schema: 1,
    team: "ci",
    allow: [{ endpoint: "daemon-stdio", environment: { A: "b" } }],
    limits: { MemoryMax: "2G" },
  },
  null,
  1,
);

test.each([
  ["ci.toml", toml],
  ["ci.json", json],
])("%s with random damage is read or refused in its lines, and nothing is thrown", async (name, text) => {
  const random = randomFrom(20260101);
  const below = (bound: number) => Math.floor(random() * bound);
  let refused = 0;
  for (let round = 0; round < 600; round += 1) {
    let damaged = text;
    for (let times = below(3); times >= 0; times -= 1) {
      const at = below(damaged.length);
      damaged = damaged.slice(0, at) + (PIECES[below(PIECES.length)] ?? "") + damaged.slice(at + below(3));
    }
    const read = await readPolicy(damaged, `policies/${name}`);
    if (read.ok) continue;
    refused += 1;
    expect(read.problems.length, damaged).toBeGreaterThan(0);
    for (const { line, message, fix } of read.problems) {
      expect(line ?? 1, damaged).toBeLessThanOrEqual(damaged.split("\n").length);
      expect(message && fix, damaged).toBeTruthy();
    }
  }
  expect(refused).toBeGreaterThan(100);
});
