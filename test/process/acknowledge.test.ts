import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { beforeEach, expect, test } from "vitest";
import { sealFiles, sealWriter } from "../../src/archive/verify/sealing.ts";
import { openArchive } from "../../src/system/archive/archive.ts";
import { createDigester } from "../../src/system/archive/measure.ts";
import { openSealStore } from "../../src/system/archive/seal-store.ts";
import { nixgate } from "../support/nixgate.ts";
import { sessionLines } from "../support/records.ts";
import { temporaryFolder, writeArchive } from "../support/temporary.ts";

const DAY = "2026-01-05";
let log = "";
let seals = "";
const path = (day = DAY) => join(log, `alpha/${day}.jsonl`);
beforeEach(() => {
  log = writeArchive({ [`alpha/${DAY}`]: sessionLines(`${DAY}T03:12:00Z`).lines.join("") });
  seals = join(temporaryFolder("seals"), "lib");
});
const comes = (time: string, day = time.slice(0, 10)) => {
  mkdirSync(dirname(path(day)), { recursive: true });
  appendFileSync(path(day), sessionLines(time).lines.join(""));
};
async function run(...words: string[]) {
  const place = ["--log-dir", log, "--seal-dir", seals];
  const { status, stdout, stderr } = await nixgate(["sessions", ...words, ...place]);
  return { status, stdout: stdout.toString(), stderr };
}
const verify = (...more: string[]) => run("verify", "--no-journal", ...more);
const acknowledge = (...words: string[]) =>
  run("acknowledge", "--no-journal", "--because", "the disk was full", ...words);
const seal = () => run("seal");
/** A run of the seals at another time. */
async function sealAt(time: string) {
  const store = await openSealStore(seals, log, { write: true });
  const ports = {
    measure: createDigester(log),
    free: async () => undefined,
    unread: new Set<string>(),
    elapsed: () => 0,
  };
  await sealFiles(openArchive(log).scan().files, sealWriter(store), ports, { time, host: "builder", boot: "b" });
  store.close();
}

test("a finding that root has explained is silent and listable, until something else is changed", async () => {
  await seal();
  appendFileSync(path(), "half a line");
  expect((await verify()).status).toBe(65);
  const done = await acknowledge(`${path()}:6`);
  expect(done).toMatchObject({ status: 0, stdout: expect.stringMatching(/^acknowledged: .*:6: .* \[chain\]\n$/) });
  expect(await verify()).toMatchObject({
    status: 0,
    stdout: expect.stringContaining("nothing found, 1 acknowledged\n"),
  });
  const listed = await verify("--acknowledged");
  expect(listed.stdout).toMatch(/:6: .* \[chain\]: acknowledged at 20\d\d-.* by \S+: the disk was full\n/);
  const { findings, acknowledged } = JSON.parse((await verify("--json")).stdout);
  expect({ findings, acknowledged }).toMatchObject({
    findings: [],
    acknowledged: [{ kind: "torn", line: 6, explained: { why: "the disk was full", by: { uid: process.getuid?.() } } }],
  });
  // the same finding in a file that is another one
  writeFileSync(path(), readFileSync(path(), "utf8").replace("nix-alpha", "nix-alphA"));
  const changed = await verify("--json");
  expect(JSON.parse(changed.stdout)).toMatchObject({ acknowledged: [] });
  expect(changed.status).toBe(65);
});

test("an explained finding does not keep a day from being pruned, and another finding does", async () => {
  await seal();
  writeFileSync(path(), readFileSync(path(), "utf8").replace("nix-alpha", "nix-alphA"));
  const prune = () => run("prune", "--clock-is-right", "--older-than", "30d");
  expect((await prune()).status).toBe(65);
  expect((await acknowledge("--all")).status).toBe(0);
  expect((await prune()).status).toBe(0);
  expect(existsSync(path())).toBe(false);
  expect((await verify()).status).toBe(0);
});

test("a host whose clock begins at 1970 at each boot has no findings after an acknowledgement", async () => {
  const BEGIN = "1970-01-01";
  comes(`${BEGIN}T01:00:00Z`);
  await seal();
  expect((await run("prune", "--clock-is-right", "--older-than", "30d")).status).toBe(0);
  expect(existsSync(path(BEGIN))).toBe(false);
  for (const boot of [1, 2]) {
    comes(`${BEGIN}T0${boot}:00:00Z`);
    await seal();
    if (boot === 1) {
      expect((await verify()).stdout).toMatch(/pruned at .* and another file is in its place/);
      expect((await run("acknowledge", "--clock-was-wrong", BEGIN, "--because", "no battery")).status).toBe(0);
    }
    expect(await verify()).toMatchObject({
      status: 0,
      stdout: expect.stringMatching(/nothing found, \d acknowledged/),
    });
    // its sessions are young, whatever the day is called
    expect((await run("prune", "--clock-is-right", "--older-than", "30d")).status).toBe(0);
    expect(existsSync(path(BEGIN))).toBe(true);
  }
  // what is wrong with such a file is a finding as in any other
  writeFileSync(path(BEGIN), readFileSync(path(BEGIN), "utf8").replace("nix-alpha", "nix-alphA"));
  expect((await verify()).status).toBe(65);
});

test("after an acknowledgement a clock that was once in 2099 makes no session late, and its day can be pruned", async () => {
  const FUTURE = "2099-03-01";
  comes(`${FUTURE}T12:00:00Z`);
  await sealAt(`${FUTURE}T12:10:00.000Z`);
  await sealAt("2026-01-05T04:00:00.000Z");
  comes(`${DAY}T05:00:00Z`);
  await sealAt("2026-01-06T05:00:00.000Z");
  expect((await verify()).stdout).toContain("forged, or the clock was set back");
  expect((await run("acknowledge", "--clock-was-wrong", FUTURE, "--because", "was set by hand")).status).toBe(0);
  expect(await verify()).toMatchObject({ status: 0 });
  comes(`${DAY}T06:00:00Z`); // forged: its day was over at the last run
  expect((await verify()).stdout).toContain("forged, or the clock was set back");
  comes(`${FUTURE}T13:00:00Z`);
  await sealAt("2026-01-07T05:00:00.000Z");
  expect((await run("prune", "--clock-is-right", "--older-than", "30d", "--damaged")).status).toBe(0);
  expect(existsSync(path(FUTURE))).toBe(false);
});

test.each([
  [["--because", "x"], "is needed"],
  [["--all"], "--because TEXT is missing"],
  [["--all", "--because", "x", "x"], "is needed"],
  [["--clock-was-wrong", "2026-02-31", "--because", "x"], "no day"],
  [["--all", "--because", "x"], "verify finds nothing there"],
  [["--all", "--because", "a\u001b[2J"], "control character"],
])("%j is a usage error, and nothing is put on record", async (words, said) => {
  const { status, stderr } = await run("acknowledge", "--no-journal", ...words);
  expect({ status, stderr }).toEqual({ status: 64, stderr: expect.stringContaining(said) });
  expect(existsSync(seals)).toBe(false);
});
