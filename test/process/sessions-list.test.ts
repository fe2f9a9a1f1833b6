import { readdirSync, readFileSync } from "node:fs";
import { resolve } from "node:path";
import { execa } from "execa";
import { beforeAll, expect, test } from "vitest";
import { writeLargeArchive } from "../support/large-archive.ts";
import { nixgate } from "../support/nixgate.ts";
import { bodies, sessionLines } from "../support/records.ts";
import { temporaryFolder, writeArchive } from "../support/temporary.ts";

const NODE = resolve("dist/node");
const PROGRAM = resolve("bin/nixgate.cjs");
const fixture = (name: string) => resolve(`test/fixtures/programs/${name}.cjs`);
const MiB = 1024;

let directory: string;
beforeAll(() => {
  directory = temporaryFolder("records");
  writeLargeArchive(directory, 150_000, [28, 29]);
});

/** bin/nixgate with one of the fixtures loaded first. */
const withFixture = (name: string, words: readonly string[], archive = directory) =>
  execa(
    NODE,
    ["--max-semi-space-size=4", "--require", fixture(name), PROGRAM, "sessions", ...words, "--log-dir", archive],
    {
      env: { XDG_CACHE_HOME: temporaryFolder("cache") },
      maxBuffer: 1e9,
    },
  );

test("a list is written in parts, and is still one JSON document or one table", async () => {
  const nixgate = (...words: string[]) => withFixture("say-peak", ["list", "--team", "delta", ...words]);
  const sessions = JSON.parse((await nixgate("--json")).stdout) as { session: string; start: string }[];
  expect(sessions).toHaveLength(1400);
  const starts = sessions.map(({ start }) => start);
  expect(starts).toEqual(starts.toSorted().reverse());
  const [titles = "", ...rows] = (await nixgate()).stdout.split("\n");
  expect(rows.map((row) => row.split(" ")[0])).toEqual(sessions.map(({ session }) => session));
  const column = titles.indexOf("START");
  expect(rows.every((row) => /^20\d\d-/.test(row.slice(column)))).toBe(true);
});

test("in the night in which the clock is set back, times go on", async () => {
  const long = sessionLines("2026-10-25T00:30:00Z", [bodies.start, { ...bodies.end, wall_ms: 5_400_000 }]);
  const short = sessionLines("2026-10-25T01:10:00Z");
  const log = writeArchive({ "alpha/2026-10-25": [...long.lines, ...short.lines].join("") });
  const asked = async (...words: string[]) => {
    const env = { ...process.env, TZ: "Europe/Berlin" };
    const { status, stdout } = await nixgate(["sessions", ...words, "--log-dir", log], { env });
    expect(status).toBe(0);
    return stdout.toString();
  };
  const ids = (list: string) => [long, short].filter(({ session }) => list.includes(session));
  const all = (await asked("list")).trimEnd().split("\n").slice(1);
  expect(all).toEqual([
    expect.stringMatching(`^${short.session}.* 2026-10-25 02:10:00 `), // winter's
    expect.stringMatching(`^${long.session}.* 2026-10-25 02:30:00 +1 h 30 min `), // summer's, 40 minutes earlier
  ]);
  expect(ids(await asked("list", "--at", "2026-10-25 02:30"))).toEqual([long]); // the first half past two
  expect(ids(await asked("list", "--since", "2026-10-25T02:00:00+01:00"))).toEqual([short]);
  expect(ids(await asked("list", "--since", "2026-10-25 01:00", "--until", "2026-10-25 02:59"))).toEqual([long]);
  expect(await asked("show", short.session)).toContain("+0.000 s  session started");
  expect(ids(await asked("list", "--since", "2026-10-25", "--until", "2026-10-25 04:00"))).toEqual([long, short]);
});

test("a list sorted by use is cut with a message, unless --limit has a number", async () => {
  const nixgate = (...words: string[]) => withFixture("say-peak", ["list", "--json", "--sort", "cpu", ...words]);
  const { stdout, stderr } = await nixgate();
  const times = (JSON.parse(stdout) as { cpu_ms: number }[]).map(({ cpu_ms }) => cpu_ms);
  expect(times).toHaveLength(1000);
  expect(times).toEqual(times.toSorted((a, b) => b - a));
  expect(stderr).toContain("the first 1000 of 10000 sessions; --limit N shows N");
  const more = await nixgate("--limit", "1500");
  expect(JSON.parse(more.stdout)).toHaveLength(1500);
  expect(more.stderr).not.toContain("the first");
});

test.each(["list --cause oom", "list --cause oom --no-index", "stats"])(
  "%s takes no more memory for twenty times the sessions",
  async (words) => {
    const few = temporaryFolder("few");
    writeLargeArchive(few, 15_000, [29]);
    const peak = async (archive: string) => {
      const { stderr } = await withFixture("say-peak", words.split(" "), archive);
      return Number(stderr.split("\n").at(-1));
    };
    const many = await peak(directory);
    expect(many).toBeLessThan(150 * MiB);
    expect(many - (await peak(few))).toBeLessThan(30 * MiB);
  },
);

/** One of its files as if it were today's. */
function ofToday(): string {
  const name = readdirSync(`${directory}/alpha`).find((file) => file.endsWith(".jsonl"));
  const lines = readFileSync(`${directory}/alpha/${name}`, "utf8");
  return writeArchive({ [`alpha/${new Date().toISOString().slice(0, 10)}`]: lines });
}

const seals = temporaryFolder("seals");
const SESSIONS = /^reading [a-z_]+ 2026-11-2\d: [\d,]+ sessions so far$/;
const LINES = /^reading [a-z_]+ 2026-11-2\d: [\d,]+ lines so far$/;
test.each([
  ["sessions stats", SESSIONS, /^TEAM /],
  ["sessions list --team delta --limit 2", SESSIONS, /^SESSION /],
  ["sessions verify --no-journal", /^checking [a-z_]+ 2026-11-2\d: [\d,]+ records so far$/, /^[\d,]+ records, /],
  [`sessions export --format csv --limit 2 -o ${seals}/export.csv`, SESSIONS, /^$/],
  [`sessions report --limit 100 -o ${seals}/report.html`, SESSIONS, /^$/],
  ["sessions show 00000000 --no-index", LINES, /^nixgate: 00000000: no such session /],
  [`sessions seal --seal-dir ${seals}`, /^sealing [a-z_]+ 2026-11-2\d$/, / files sealed in /],
  [
    `sessions prune --clock-is-right --older-than 1d --dry-run --seal-dir ${seals}`,
    /^pruning [a-z_]+ 2026-11-2\d$/,
    /would be removed/,
  ],
  // its archive is of today, whatever the date
  ["render prometheus", /^reading [a-z_]+ \d{4}-\d\d-\d\d: [\d,]+ lines so far$/, /^# HELP nixgate_/],
])("long %s says on a terminal how far it is, and takes it away again", async (words, progress, answer) => {
  const archive = words === "render prometheus" ? ofToday() : directory;
  const command = [NODE, "--require", fixture("hasty-clock"), PROGRAM, ...words.split(" "), "--log-dir", archive];
  const line = command.map((word) => `'${word}'`).join(" ");
  const { stdout } = await execa("script", ["-qec", line, "/dev/null"], { reject: false });
  const said = stdout.split("\r\u001b[K");
  expect(said.length).toBeGreaterThan(3);
  expect(said.slice(1, -1)).toEqual(said.slice(1, -1).map(() => expect.stringMatching(progress)));
  expect(said.at(-1)).toMatch(answer);
});

test("elsewhere than on a terminal it says nothing of it", async () => {
  const { stderr } = await withFixture("hasty-clock", ["stats"]);
  expect(stderr).toBe("");
});

test("a reader that leaves early is no failure", async () => {
  const { stdout, exitCode } = await execa(
    "/bin/bash",
    [
      "-c",
      `"$@" | head -n 1; exit "\${PIPESTATUS[0]}"`,
      "-",
      NODE,
      PROGRAM,
      "sessions",
      "list",
      "--log-dir",
      directory,
    ],
    { reject: false },
  );
  expect(stdout).toMatch(/^SESSION /);
  expect(exitCode).toBe(0);
});
