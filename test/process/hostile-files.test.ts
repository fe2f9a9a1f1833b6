import {
  appendFileSync,
  chownSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { DAMAGE_MAX, DAY_MAX_BYTES } from "../../src/archive/bounds.ts";
import type { RecordBody } from "../../src/record/schema.ts";
import type { Fifo } from "../../src/supervisor/fifos.ts";
import { resumableSessions } from "../../src/supervisor/resumable.ts";
import type { Supervisor } from "../../src/supervisor/supervisor.ts";
import { openArchive } from "../../src/system/archive/archive.ts";
import { createDigester } from "../../src/system/archive/measure.ts";
import { openRecordFile } from "../../src/system/archive/record-file.ts";
import { nixgate } from "../support/nixgate.ts";
import { HERE as here, NOBODY } from "../support/processes.ts";
import { bodies, sessionLines } from "../support/records.ts";
import { temporaryFolder, writeArchive } from "../support/temporary.ts";

const START = "2026-01-05T03:12:00Z";
const TEN_SECONDS = 10_000;

/** A session of this host whose nixgate is gone. */
const lostSession = (team: string, more: readonly RecordBody[] = []) =>
  sessionLines(START, [{ ...bodies.start, pid: NOBODY }, ...more], { ...here, team });

const NO_DAYS = ["9999-99-99", "2026-02-30", "2026-13-01", "0000-00-00", "9999-12-31"];

describe("a team's folder with files that no nixgate writes", () => {
  let log = "";
  let seals = "";
  let config = "";
  beforeAll(() => {
    log = writeArchive({ "beta/2026-01-05": lostSession("beta").lines.join("") });
    mkdirSync(join(log, "alpha"));
    for (const day of NO_DAYS) writeFileSync(join(log, `alpha/${day}.jsonl`), lostSession("alpha").lines.join(""));
    writeFileSync(join(log, "alpha/2026-01-04.jsonl"), "");
    truncateSync(join(log, "alpha/2026-01-04.jsonl"), 2 ** 40);
    const open = Array.from({ length: 10_000 }, (_, index) => ({ ...bodies.run, n: index + 1 }));
    writeFileSync(join(log, "alpha/2026-01-05.jsonl"), lostSession("alpha", open).lines.join(""));
    writeFileSync(join(log, "alpha/2026-01-06.jsonl"), "x\n".repeat(DAMAGE_MAX * 100));
    seals = join(temporaryFolder("seals"), "lib");
    config = temporaryFolder("config");
    writeFileSync(join(config, "nixgate.toml"), `schema = 1\n[log]\ndirectory = "${log}"\njournald = false\n`);
  });

  const sparse = () => `${log}/alpha/2026-01-04.jsonl: cannot be read: 1099511627776 bytes, of which 0 are on disk`;

  test.each([
    ["sessions list", 0],
    ["sessions stats", 0],
    ["sessions report", 0],
    ["sessions export", 0],
    ["sessions verify --no-journal", 65],
    ["sessions seal", 74],
    ["sessions prune --older-than 1d --dry-run", 74],
    ["sessions show 00000000", 64],
    ["sessions top --once", 0],
    ["sessions follow --limit 1 --once", 64],
    ["render prometheus", 0],
    ["recover", 74],
  ])(
    "%s is done with it in seconds, and names what it does not read",
    async (words, status) => {
      const takesSeals = /verify|seal|prune/.test(words) ? ["--seal-dir", seals] : [];
      const began = performance.now();
      const answer = await nixgate([...words.split(" "), ...takesSeals, "--config-dir", config]);
      expect(performance.now() - began).toBeLessThan(TEN_SECONDS);
      const said = answer.stderr.toString();
      expect(answer.status, said).toBe(status);
      if (!/list|stats|report|export|verify|seal|prune|recover/.test(words)) return;
      expect(said).toContain(sparse());
      for (const day of NO_DAYS) expect(said).toContain(`${log}/alpha/${day}.jsonl: not a day's file`);
    },
    3 * TEN_SECONDS,
  );

  test("recover has ended the other team's session, and the latest of the one with ten thousand commands", async () => {
    const ends = (team: string) =>
      readFileSync(join(log, `${team}/2026-01-05.jsonl`), "utf8")
        .split("\n")
        .filter((line) => line.includes('"cause":"supervisor-lost"')).length;
    expect(ends("beta")).toBe(1);
    expect(ends("alpha")).toBe(9);
  });
});

test("the supervisor takes sessions back beside files that cannot be read, and says which those are", async () => {
  const log = writeArchive({
    "beta/2026-01-05": lostSession("beta").lines.join(""),
    "alpha/9999-99-99": lostSession("alpha").lines.join(""),
    "alpha/2026-01-04": "",
    "alpha/2026-01-05": "x\n".repeat(DAMAGE_MAX + 1),
  });
  truncateSync(join(log, "alpha/2026-01-04.jsonl"), 2 ** 40);
  const warned: string[] = [];
  const supervisor = {
    log: { directory: log, journald: false },
    followsCrash: true,
    records: { copyToJournal: () => undefined, flush: async () => 0 },
    runDirectory: temporaryFolder("run"),
    warn: (message: string, facts: object) => warned.push(`${message} ${JSON.stringify(facts)}`),
  } as unknown as Supervisor;
  const fifos = ["alpha", "beta"].map((name) => ({ name, descriptor: -1, uid: 65_533, gid: 65_533 }) as Fifo);
  expect(await resumableSessions(fifos, supervisor)).toEqual([]);
  expect(warned.join("\n")).toContain(`"team":"alpha","file":"${log}/alpha/2026-01-04.jsonl"`);
  expect(warned.join("\n")).toContain(`"team":"alpha","file":"${log}/alpha/2026-01-05.jsonl"`);
  expect(readFileSync(join(log, "beta/2026-01-05.jsonl"), "utf8")).toContain('"event":"session.end"');
});

test("files of days to come do not hide the two latest days from the supervisor, which says that it leaves them", async () => {
  const log = writeArchive({
    "alpha/2998-01-01": "",
    "alpha/2999-01-01": "",
    "alpha/2026-01-05": lostSession("alpha").lines.join(""),
  });
  const warned: string[] = [];
  const supervisor = {
    log: { directory: log, journald: false },
    records: { copyToJournal: () => undefined, flush: async () => 0 },
    warn: (message: string, facts: object) => warned.push(`${message} ${JSON.stringify(facts)}`),
  } as unknown as Supervisor;
  await resumableSessions([{ name: "alpha", descriptor: -1, uid: 65_533, gid: 65_533 } as Fifo], supervisor);
  expect(warned).toEqual(['records were left out {"why":"2 files of team alpha left out: dated after tomorrow"}']);
  expect(readFileSync(join(log, "alpha/2026-01-05.jsonl"), "utf8")).toContain('"event":"session.end"');
});

describe("a folder with more entries than days", () => {
  test("loses no day to foreign entries, which are counted", async () => {
    const log = writeArchive({ "alpha/.hidden": "" });
    for (let n = 0; n < 20_000; n += 1) writeFileSync(join(log, `alpha/x${n}`), "");
    writeFileSync(join(log, "alpha/2026-01-05.jsonl"), lostSession("alpha").lines.join(""));
    const { files, problems } = openArchive(log).scan();
    expect(files.map(({ day }) => day)).toEqual(["2026-01-05"]);
    expect(problems).toHaveLength(11);
    expect(problems.at(-1)).toEqual({ path: `${log}/alpha`, what: "19990 more entries are not a day's file" });
    const words = ["sessions", "verify", "--no-journal", "--log-dir", log, "--seal-dir", join(log, "none")];
    const { status, stdout } = await nixgate(words);
    expect({ status, stdout: stdout.toString() }).toEqual({ status: 65, stdout: expect.stringContaining("1 session") });
  });

  test("with more days than are read, or not to be read at all, makes verify, seal and recover fail", async () => {
    const log = writeArchive({ "beta/2026-01-05": sessionLines(START, undefined, { team: "beta" }).lines.join("") });
    mkdirSync(join(log, "alpha"));
    const first = Date.parse("1980-01-01");
    for (let n = 0; n < 10_001; n += 1)
      writeFileSync(join(log, `alpha/${new Date(first + n * 86_400_000).toISOString().slice(0, 10)}.jsonl`), "");
    symlinkSync(join(log, "alpha"), join(log, "gamma"));
    const { files, problems } = openArchive(log).scan();
    expect(files).toHaveLength(10_001);
    expect(problems).toEqual([
      {
        path: `${log}/alpha`,
        team: "alpha",
        unread: true,
        what: "cannot be read: more than 10000 days: the others are not read",
      },
      expect.objectContaining({ path: `${log}/gamma`, team: "gamma", unread: true }),
    ]);
    for (const day of readdirSync(join(log, "alpha"))) rmSync(join(log, "alpha", day));
    const seals = join(temporaryFolder("seals"), "lib");
    const config = temporaryFolder("config");
    writeFileSync(join(config, "nixgate.toml"), `schema = 1\n[log]\ndirectory = "${log}"\njournald = false\n`);
    const status = async (...words: string[]) => (await nixgate([...words, "--config-dir", config])).status;
    expect(await status("sessions", "seal", "--seal-dir", seals)).toBe(74);
    expect(await status("sessions", "verify", "--no-journal", "--seal-dir", seals)).toBe(74);
    expect(await status("recover")).toBe(74);
    const [name] = readdirSync(join(seals, "seals"));
    const last = readFileSync(join(seals, "seals", name as string), "utf8")
      .trimEnd()
      .split("\n")
      .at(-1) as string;
    expect(JSON.parse(last)).toMatchObject({ team: "beta", ends: true, without: ["gamma"] });
  });
});

test.skipIf(process.geteuid?.() !== 0)(
  "a file with two names, or a small one with holes, is not read where its owner is not root (needs root)",
  () => {
    const log = writeArchive({ "alpha/2026-01-05": "", "alpha/2026-01-06": "" });
    const [linked, sparse] = [join(log, "alpha/2026-01-05.jsonl"), join(log, "alpha/2026-01-06.jsonl")];
    linkSync(linked, join(log, "alpha/2026-01-04.jsonl"));
    truncateSync(sparse, 1_000_000);
    const said = () => {
      const measure = createDigester(log);
      return ["04", "05", "06"].map((day) => {
        try {
          return measure({ team: "alpha", day: `2026-01-${day}`, path: day }, [])?.lines;
        } catch (error) {
          return (error as Error).message;
        }
      });
    };
    expect(said()).toEqual([0, 0, 0]); // root's
    for (const path of [linked, sparse]) chownSync(path, 65_534, 65_534);
    expect(said()).toEqual([
      "04: cannot be read: has 2 names",
      "05: cannot be read: has 2 names",
      "06: cannot be read: 1000000 bytes, of which 0 are on disk: a file with holes",
    ]);
  },
);

test("no writer makes a file that no reader takes", () => {
  const log = writeArchive({});
  const file = openRecordFile(log, "alpha", Date.parse(START));
  appendFileSync(file.path, "x\n");
  truncateSync(file.path, DAY_MAX_BYTES - 10);
  const uid = process.geteuid?.();
  if (uid === 0) process.seteuid?.(65_534);
  try {
    expect(() => file.append("{}\n".padStart(11))).toThrow(`at most ${DAY_MAX_BYTES} are read`);
    expect(statSync(`/proc/self/fd/${file.descriptor}`).size).toBe(DAY_MAX_BYTES - 10);
  } finally {
    if (uid === 0) process.seteuid?.(0);
    file.close();
  }
});

describe("a session of beta in alpha's folder", () => {
  let log = "";
  let own = "";
  beforeAll(() => {
    const forged = sessionLines(START, undefined, { team: "beta", host: "forged" });
    const alpha = sessionLines(START);
    own = alpha.session;
    log = writeArchive({ "alpha/2026-01-05": [...forged.lines, ...alpha.lines].join("") });
  });
  const said = () => `${log}/alpha/2026-01-05.jsonl:1: misplaced: a session of team beta in the folder of alpha`;

  // Twice each: the second reading comes from the index.
  test.each([
    "sessions list --json",
    "sessions list --json",
    "sessions stats --json",
    "sessions stats --json",
    "sessions export",
    "sessions report",
  ])("%s names the file and shows only alpha's own", async (words) => {
    const answer = await nixgate([...words.split(" "), "--log-dir", log]);
    expect(answer.stderr.toString()).toContain(said());
    expect(answer.stdout.toString()).not.toMatch(/"beta"|forged/);
    if (/list|export/.test(words)) expect(answer.stdout.toString()).toContain(own);
  });

  test("--team beta finds nothing, and verify says misplaced", async () => {
    const list = await nixgate(["sessions", "list", "--team", "beta", "--json", "--log-dir", log]);
    expect(list.stdout.toString()).not.toContain('"session"');
    const stats = await nixgate(["sessions", "stats", "--team", "beta", "--log-dir", log]);
    expect(stats.stdout.toString()).toBe("no sessions match\n");
    const verify = await nixgate(["sessions", "verify", "--no-journal", "--json", "--log-dir", log]);
    expect(verify.stdout.toString()).toContain('"misplaced"');
  });
});

test("render prometheus goes on beside a file of today with holes, and one of damage", async () => {
  const days = [0, 1].map((ago) => new Date(Date.now() - ago * 86_400_000).toISOString().slice(0, 10));
  const [today, yesterday] = days;
  const log = writeArchive({
    [`alpha/${today}`]: "",
    [`alpha/${yesterday}`]: "x\n".repeat(DAMAGE_MAX + 1),
    [`beta/${today}`]: sessionLines(`${today}T00:00:00Z`, undefined, { team: "beta" }).lines.join(""),
  });
  truncateSync(join(log, `alpha/${today}.jsonl`), 2 ** 40);
  const answer = await nixgate(["render", "prometheus", "--log-dir", log]);
  expect(answer.status).toBe(0);
  expect(answer.stderr.toString()).toContain(`${log}/alpha/${today}.jsonl: cannot be read`);
  expect(answer.stderr.toString()).toContain(`more than ${DAMAGE_MAX} lines are damaged`);
  expect(answer.stdout.toString()).toContain('nixgate_sessions_total{team="beta"} 1');
});
