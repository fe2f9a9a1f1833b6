import { rmSync } from "node:fs";
import { expect, test } from "vitest";
import { fuzz } from "../../fuzz/fuzz.ts";
import { parsers } from "../../fuzz/parsers.ts";
import { temporaryFolder } from "../../support/temporary.ts";

/** Also what was found by more cases by hand: `npm run fuzz -- --cases 10000000`. */
const CASES = 100_000;

test(`${CASES} cases over all that root reads of an account's find nothing`, async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  try {
    expect(await fuzz(await parsers(temporaryFolder("fuzz")), CASES, seed)).toEqual([]);
  } finally {
    rmSync(`/tmp/sshauth.nixgate${process.pid}`, { force: true });
  }
}, 600_000);
