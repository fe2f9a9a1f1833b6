import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { readPolicy } from "../../../src/policy/read-policy.ts";

/** Numbers from 0 to below `bound`, the same in every run (mulberry32). */
function randomNumbers(seed: number): (bound: number) => number {
  let state = seed;
  return (bound) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

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
  const below = randomNumbers(20260101);
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
