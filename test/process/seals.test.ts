import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { beforeEach, describe, expect, onTestFinished, test } from "vitest";
import type { Finding } from "../../src/archive/finding.ts";
import { sealWriter } from "../../src/archive/verify/sealing.ts";
import { startTicks } from "../../src/system/kernel/process-group.ts";
import { toPid } from "../../src/units/ids.ts";
import { exported, importJournal, noJournalRemote } from "../support/journal-export.ts";
import { nixgate } from "../support/nixgate.ts";
import { bodies, sessionLines } from "../support/records.ts";
import { temporaryFolder, writeArchive } from "../support/temporary.ts";

const DAY = "2026-01-05";
const one = sessionLines(`${DAY}T03:12:00Z`);
const two = sessionLines(`${DAY}T04:12:00Z`);
const other = sessionLines("2026-01-06T03:12:00Z");

let log = "";
let seals = "";
const path = (team = "alpha", day = DAY) => join(log, `${team}/${day}.jsonl`);
const add = (lines: readonly string[]) => appendFileSync(path(), lines.join(""));
beforeEach(() => {
  log = writeArchive({ [`alpha/${DAY}`]: one.lines.join(""), "alpha/2026-01-06": other.lines.join("") });
  seals = join(temporaryFolder("seals"), "lib");
});

const noPromtool = spawnSync("promtool", ["--version"]).status !== 0;

const run = (command: string, ...more: string[]) =>
  nixgate(["sessions", command, "--log-dir", log, "--seal-dir", seals, ...more]);
const seal = (...more: string[]) => run("seal", ...more);

async function found(...more: string[]): Promise<string[]> {
  const { stdout, stderr } = await run("verify", "--no-journal", "--json", ...more);
  if (stdout.length === 0) throw new Error(stderr);
  return JSON.parse(stdout.toString()).findings.map(({ kind, line }: Finding) => (line ? `${kind}:${line}` : kind));
}
const sealFile = () => join(seals, "seals", `${log.slice(1).replaceAll("-", "\\x2d").replaceAll("/", "-")}.jsonl`);

describe("sessions seal", () => {
  test("and verify write the time, status and findings of a run as metrics, also where they fail", async () => {
    const file = join(temporaryFolder("textfile"), "run.prom");
    const metric = (name: string) =>
      Number(new RegExp(`^nixgate_run_${name}\\{.*\\} (.*)$`, "m").exec(readFileSync(file, "utf8"))?.[1]);
    const before = Date.now() / 1000;
    expect((await seal("--metrics", file)).status).toBe(0);
    expect([metric("status"), metric("findings")]).toEqual([0, 0]);
    expect(metric("timestamp_seconds")).toBeGreaterThanOrEqual(before);
    expect(metric("timestamp_seconds")).toBeLessThanOrEqual(Date.now() / 1000);
    expect(readFileSync(file, "utf8")).toContain('nixgate_run_status{command="seal"} 0\n');
    truncateSync(path(), 10);
    expect((await run("verify", "--no-journal", "--metrics", file)).status).toBe(65);
    expect(readFileSync(file, "utf8")).toContain('nixgate_run_status{command="verify"} 65\n');
    expect(metric("findings")).toBeGreaterThan(0);
    chmodSync(join(seals, "seal.key"), 0o644); // a key that others read is no key
    expect((await seal("--metrics", file)).status).toBe(73);
    expect([metric("status"), metric("findings")]).toEqual([73, Number.NaN]);
    expect((await seal("--metrics", "/nowhere/run.prom")).status).toBe(73);
  });

  test.skipIf(noPromtool)("and promtool finds nothing to say about these metrics (needs promtool)", async () => {
    const file = join(temporaryFolder("textfile"), "run.prom");
    await seal("--metrics", file);
    const { status, stdout, stderr } = spawnSync("promtool", ["check", "metrics"], {
      input: readFileSync(file),
      encoding: "utf8",
    });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
  });

  test("makes a key and seals that nobody else reads, one seal for each file", async () => {
    const { status, stdout } = await seal();
    expect(status).toBe(0);
    expect(stdout.toString()).toContain(`${path()}: sealed 5 lines`);
    const modes = [join(seals, "seal.key"), sealFile(), seals].map((name) => (statSync(name).mode & 0o777).toString(8));
    expect(modes).toEqual(["600", "600", "700"]);
    expect(readFileSync(sealFile(), "utf8").trimEnd().split("\n")).toHaveLength(2);
    expect(await found()).toEqual([]);
  });

  test("a run that was cut short says nothing of files that it did not come to", async () => {
    expect((await seal()).status).toBe(0); // of 2026-01-05 and 2026-01-06, days that are over
    const all = readFileSync(sealFile(), "utf8").trimEnd().split("\n");
    expect(all.map((line) => JSON.parse(line).ends)).toEqual([undefined, true]);
    const young = sessionLines(`${DAY}T05:12:00Z`);
    // the seals as if only the first of two files had been sealed so far, and the other had grown before its turn came
    writeFileSync(sealFile(), `${all[0]}\n`);
    appendFileSync(path("alpha", "2026-01-06"), sessionLines("2026-01-06T04:12:00Z").lines.join(""));
    expect((await seal()).status).toBe(0);
    expect(await found()).toEqual([]);
    add(young.lines); // from now on each file has been come to
    expect(await found()).toEqual(["late:6"]);
  });

  test("seals only files that have grown, and a file may grow after its seal", async () => {
    writeFileSync(path(), one.lines.slice(0, 2).join(""));
    await seal();
    expect((await seal()).stdout.toString()).toContain("0 of 2 files sealed");
    add(one.lines.slice(2));
    expect(await found()).toEqual([]);
    expect((await seal()).stdout.toString()).toContain("1 of 2 files sealed");
    expect(await found()).toEqual([]);
  });

  test("a line that is half written is not sealed, and may be finished", async () => {
    writeFileSync(path(), `${one.lines.slice(0, 4).join("")}${one.lines[4]?.slice(0, 50)}`);
    await seal();
    add([one.lines[4]?.slice(50) as string]);
    expect(await found()).toEqual([]);
  });

  test("says at once that a sealed file was changed, and later seals do not hide it", async () => {
    await seal();
    writeFileSync(path(), [...two.lines, ...one.lines].join(""));
    const { status, stdout } = await seal();
    expect(status).toBe(65);
    expect(stdout.toString()).toContain("lines 1 to 5 differ from the lines that were sealed");
    expect(await found()).toContain("altered");
  });

  test("a run without growth still seals, once a day, the existing files", async () => {
    const today = new Date().toISOString().slice(0, 10);
    writeFileSync(path("alpha", today), sessionLines(Date.now()).lines.join(""));
    rmSync(path());
    await seal();
    const first = readFileSync(sealFile(), "utf8");
    // the seals as if that run had been on an earlier day, before the day of the file was over
    const { key, seals: sealed } = { key: readFileSync(join(seals, "seal.key")), seals: first };
    const store = {
      ...{ path: sealFile(), key: Buffer.from(key.toString().trim(), "hex"), close: () => undefined },
      lines: () => [],
      append: (line: string) => appendFileSync(sealFile(), line),
    };
    writeFileSync(sealFile(), "");
    const writer = sealWriter(store);
    for (const line of sealed.trimEnd().split("\n")) {
      const { v: _, n: __, prev: ___, mac: ____, ...body } = JSON.parse(line);
      writer.add({ ...body, time: "2026-01-06T12:00:00.000Z" });
    }
    const before = readFileSync(sealFile(), "utf8");
    expect((await seal()).stdout.toString()).toContain("0 of 2 files sealed");
    const after = readFileSync(sealFile(), "utf8");
    expect(after.slice(before.length).trimEnd().split("\n")).toEqual([expect.stringContaining('"ends":true')]);
    expect((await seal()).status).toBe(0);
    expect(readFileSync(sealFile(), "utf8")).toBe(after);
    appendFileSync(path("alpha", "2026-01-06"), sessionLines("2026-01-06T23:00:00Z").lines.join(""));
    expect(await found()).toEqual(["late:6"]);
  });

  test("ten at once make one chain", async () => {
    const today = new Date().toISOString().slice(0, 10);
    const done = Array.from({ length: 10 }, async () => {
      appendFileSync(path("alpha", today), sessionLines(Date.now()).lines.join(""));
      return (await seal()).status;
    });
    expect(await Promise.all(done)).toEqual(done.map(() => 0));
    expect(await found()).toEqual([]);
  });
});

test("a seal waits while another process holds the lock on the seals", async () => {
  await seal();
  add(two.lines);
  const before = readFileSync(sealFile(), "utf8");
  const holder = spawn("flock", [sealFile(), "sh", "-c", "echo held; read -r _"], {
    stdio: ["pipe", "pipe", "inherit"],
  });
  await once(holder.stdout, "data");
  const waiting = seal();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  expect(readFileSync(sealFile(), "utf8")).toBe(before);
  holder.stdin.end();
  expect((await waiting).status).toBe(0);
  expect(readFileSync(sealFile(), "utf8").length).toBeGreaterThan(before.length);
});

describe("verify finds", () => {
  test("a session put into a day that was sealed when it was over", async () => {
    await seal();
    add(two.lines);
    expect(await found()).toEqual(["late:6"]);
  });

  test("a file of a day that was not there when the archive was sealed after it", async () => {
    await seal();
    writeFileSync(path("alpha", "2026-01-04"), sessionLines("2026-01-04T01:00:00Z").lines.join(""));
    expect(await found()).toEqual(["late:1"]);
    await seal(); // a seal of what was slipped in does not bless it
    expect(await found()).toEqual(["late:1"]);
  });

  test("yesterday's file missing", async () => {
    await seal();
    rmSync(path());
    expect(await found()).toEqual(["gone"]);
  });

  test.each<[string, (lines: string[]) => string[], string[]]>([
    ["a seal removed", (lines) => lines.toSpliced(0, 1), ["seal:1"]],
    ["seals swapped", ([a, b, ...rest]) => [b, a, ...rest] as string[], ["seal:1", "seal:2", "seal:3"]],
    ["a seal changed", (lines) => lines.with(0, lines[0]!.replace('"lines":5', '"lines":6')), ["seal:1", "seal:2"]],
  ])("%s", async (_, damage, expected) => {
    await seal();
    writeFileSync(path("alpha", "2026-01-07"), "");
    await seal();
    const lines = readFileSync(sealFile(), "utf8").trimEnd().split("\n");
    expect(lines).toHaveLength(3);
    writeFileSync(
      sealFile(),
      damage(lines)
        .map((line) => `${line}\n`)
        .join(""),
    );
    expect(await found()).toEqual(expected);
  });
});

test("a seal that a crash tore is no finding, and the next one stands on a line of its own", async () => {
  await seal();
  appendFileSync(sealFile(), readFileSync(sealFile(), "utf8").slice(0, 70));
  expect(await found()).toEqual([]);
  writeFileSync(path("alpha", "2026-01-07"), "");
  await seal();
  expect(await found()).toEqual([]);
  expect(readFileSync(sealFile(), "utf8").trimEnd().split("\n")).toHaveLength(4);
});

describe("the key", () => {
  test("that others can read is refused, with the fix", async () => {
    await seal();
    chmodSync(join(seals, "seal.key"), 0o640);
    const { status, stderr } = await seal();
    expect(status).toBe(73);
    expect(stderr).toContain(`chmod 600 ${seals}/seal.key`);
  });

  test("that is gone while there are seals is not made anew in silence", async () => {
    await seal();
    rmSync(join(seals, "seal.key"));
    writeFileSync(path(), [...one.lines, ...two.lines].join(""));
    expect((await seal()).status).toBe(73);
    const { stdout } = await run("verify", "--no-journal");
    expect(stdout.toString()).toMatch(/^seal {5}not used: .*their key is missing/m);
  });

  test("a folder that others can write to is refused", async () => {
    await seal();
    chmodSync(seals, 0o777);
    expect((await seal()).stderr).toContain("others can write to it");
  });
});

describe("sessions prune", () => {
  const prune = (...more: string[]) => run("prune", "--clock-is-right", "--older-than", "30d", ...more);

  test("removes days with a record of them, and verify still finds nothing", async () => {
    await seal();
    const dry = await prune("--dry-run");
    expect(dry.stdout.toString()).toContain("2 files before");
    expect(existsSync(path())).toBe(true);
    const { status, stdout } = await prune("--json");
    expect(status).toBe(0);
    expect(JSON.parse(stdout.toString()).files).toMatchObject([
      { day: DAY, sessions: 1, records: 5, done: true },
      { day: "2026-01-06", done: true },
    ]);
    expect(existsSync(path())).toBe(false);
    expect(await found()).toEqual([]);
    expect((await prune()).stdout.toString()).toContain("0 files before");
  });

  test("removes the cache of those days", async () => {
    await sleep(1050); // what has only just changed is not kept
    const cache = temporaryFolder("cache");
    const env = { ...process.env, XDG_CACHE_HOME: cache };
    const ask = (...words: string[]) => nixgate(["sessions", ...words, "--log-dir", log], { env });
    const kept = () => readdirSync(cache, { recursive: true, encoding: "utf8" }).filter((name) => /alpha\./.test(name));
    await ask("list");
    expect(kept()).toHaveLength(2);
    await ask("prune", "--clock-is-right", "--older-than", "30d", "--seal-dir", seals);
    expect(kept()).toEqual([]);
  });

  test.skipIf(noJournalRemote)(
    `the journal's copies of what was pruned are not missed${noJournalRemote ? ` (${noJournalRemote})` : ""}`,
    async () => {
      const journal = temporaryFolder("journal");
      importJournal(join(journal, "remote.journal"), exported([...one.lines, ...other.lines]));
      const verify = async () => {
        const words = ["sessions", "verify", "--log-dir", log, "--seal-dir", seals, "--journal", journal, "--json"];
        return JSON.parse((await nixgate(words)).stdout.toString());
      };
      expect((await verify()).findings).toEqual([]);
      await prune();
      const { findings, layers } = await verify();
      expect(findings).toEqual([]);
      expect(layers.journal.what).toContain("10 copies");
    },
  );

  test("a file that replaces a pruned file is found", async () => {
    await prune();
    writeFileSync(path(), two.lines.join(""));
    expect(await found()).toContain("late");
  });

  test("a prune that was interrupted is finished by the next, and is no finding before", async () => {
    const before = readFileSync(path());
    await prune();
    writeFileSync(path(), before);
    expect(await found()).toEqual([]);
    expect((await prune()).stdout.toString()).toContain("1 file before");
    expect(existsSync(path())).toBe(false);
    expect(await found()).toEqual([]);
  });

  const hasAttributes = () => {
    const probe = join(temporaryFolder("attribute"), "probe");
    writeFileSync(probe, "");
    const set = spawnSync("chattr", ["+a", probe]).status === 0;
    spawnSync("chattr", ["-a", probe]);
    return set;
  };

  test("says which attribute keeps a file, and removes the others", async ({ skip }) => {
    skip(!hasAttributes(), "needs root, chattr(1) and a file system with attributes");
    await seal();
    spawnSync("chattr", ["+a", path()]);
    onTestFinished(() => void spawnSync("chattr", ["-a", path()]));
    const { status, stderr, stdout } = await prune("--json");
    expect({ status, stderr }).toEqual({
      status: 74,
      stderr: expect.stringMatching(/append-only or immutable: lsattr/),
    });
    expect(JSON.parse(stdout.toString()).files).toMatchObject([{ done: false }, { done: true }]);
    expect(existsSync(path())).toBe(true);
    expect(await found()).toEqual([]);
  });

  test("keeps a day with a session that is running", async () => {
    const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
    const running = sessionLines(
      `${DAY}T05:00:00Z`,
      [{ ...bodies.start, pid: 1, started_ticks: startTicks(toPid(1)) }],
      {
        host: "elsewhere",
        boot,
      },
    );
    add(running.lines);
    const { status, stdout } = await prune();
    expect(status).toBe(75);
    expect(stdout.toString()).toContain(`${path()}: 2 sessions, 6 records, `);
    expect(stdout.toString()).toContain("kept: a session of it is still running");
    expect(existsSync(path())).toBe(true);
  });

  test("keeps a damaged day as evidence, unless it is told not to", async () => {
    writeFileSync(path(), one.lines.toSpliced(2, 1).join(""));
    const { status, stderr } = await prune();
    expect(status).toBe(65);
    expect(stderr).toContain("records between them are missing");
    expect(existsSync(path())).toBe(true);
    expect((await prune("--damaged")).status).toBe(0);
    expect(existsSync(path())).toBe(false);
  });

  test.each([
    [[], "needs --older-than"],
    [["--older-than", "1h"], "less than a day"],
    [["--older-than", "soon"], "not a duration"],
  ])("%j is a usage error", async (words, said) => {
    const { status, stderr } = await run("prune", ...words);
    expect(status).toBe(64);
    expect(stderr).toContain(said);
  });
});

const OWNER = 65_534;

/** Takes a lease on a file and keeps it, whatever the kernel says (fcntl(2), F_SETLEASE is 1024), or lets go and takes it anew. */
const HOLDER = `
  $| = 1; $SIG{IO} = "IGNORE"; my ($path, $patience) = @ARGV;
  open(my $file, "+<", $path) or die "$!"; fcntl($file, 1024, 1) // die "$!"; print "held\\n";
  sleep($patience);
  for (1 .. 2_000_000) { fcntl($file, 1024, 2); fcntl($file, 1024, 1); }
  sleep(60);
`;

async function lease(file: string, patience: number) {
  const holder = spawn("perl", ["-e", HOLDER, file, String(patience)], {
    ...{ uid: OWNER, gid: OWNER, stdio: ["ignore", "pipe", "inherit"] },
  });
  await once(holder.stdout, "data");
  return holder;
}

describe.skipIf(process.geteuid?.() !== 0)("a file that its owner keeps from being read (needs root)", () => {
  const beta = () => path("beta", DAY);
  beforeEach(() => {
    mkdirSync(join(log, "beta"));
    writeFileSync(beta(), sessionLines(`${DAY}T03:12:00Z`, undefined, { team: "beta" }).lines.join(""));
    chmodSync(log, 0o755);
    for (const name of [join(log, "alpha"), path(), path("alpha", "2026-01-06")]) chownSync(name, OWNER, OWNER);
  });

  test("by a lease is waited for behind all others, and sealed", async () => {
    const holder = await lease(path(), 2);
    const { status, stdout, stderr } = await seal();
    holder.kill("SIGKILL");
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout.toString()).toMatch(
      /2026-01-06.jsonl: sealed.*beta.2026-01-05.jsonl: sealed.*alpha.2026-01-05.jsonl: sealed/s,
    );
    add(two.lines);
    expect(await found()).toEqual(["late:6"]);
  });

  test("in any other way weakens nobody else's seals, and verify says which file's", async () => {
    truncateSync(path(), 2 ** 40);
    const { status, stderr } = await seal();
    expect({ status, stderr }).toEqual({ status: 74, stderr: expect.stringContaining(`${path()}: cannot be read`) });
    writeFileSync(path(), [...one.lines, ...two.lines].join("")); // a session more than there was
    expect(await found()).toEqual(["unsealed"]);
    appendFileSync(beta(), sessionLines(`${DAY}T04:12:00Z`, undefined, { team: "beta" }).lines.join(""));
    appendFileSync(path("alpha", "2026-01-06"), sessionLines("2026-01-06T04:12:00Z").lines.join(""));
    expect((await found()).sort()).toEqual(["late:6", "late:6", "unsealed"]);
  });
});
