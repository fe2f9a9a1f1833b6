import { expect, test } from "vitest";
import type { Archive } from "../../../../../src/archive/archive.ts";
import type { Finding } from "../../../../../src/archive/finding.ts";
import { journalCopy } from "../../../../../src/archive/verify/journal-copy.ts";
import { sessionsVerify } from "../../../../../src/commands/sessions/verify/sessions-verify.ts";
import { archiveOf } from "../../../../support/archive-in-memory.ts";
import { sessionLines } from "../../../../support/records.ts";
import { early, lost, oom, portsOf, run, running } from "../sessions.fixture.ts";

const sound = {
  "alpha/2026-01-05": [...early.lines, ...oom.lines].join(""),
  "beta/2026-01-06": running.lines.join(""),
};

const layers = (records: number) =>
  `chain    ${records} records\njournal  not used: no journald here\nseal     not used: no seals here\n`;

test("an untouched archive is one line of counts, and how far each layer reached", async () => {
  expect(await run(sessionsVerify, [], {}, portsOf(sound))).toEqual({
    status: 0,
    stdout: `11 records, 3 sessions, 2 files, 1 running: nothing found\n${layers(11)}`,
    stderr: "",
  });
});

test("a finding names file, line, session, and until when the session was sound", async () => {
  const files = { ...sound, "alpha/2026-01-05": [...early.lines.slice(0, 2), ...early.lines.slice(3)].join("") };
  const { status, stdout } = await run(sessionsVerify, [], {}, portsOf(files));
  expect(status).toBe(65);
  expect(stdout).toBe(
    `/log/alpha/2026-01-05.jsonl:3: session ${early.session}: seq 3 follows seq 1: records between them are missing (sound until 2026-01-05T03:12:01.000Z) [chain]\n` +
      `6 records, 2 sessions, 2 files, 1 running: 1 finding\n${layers(6)}`,
  );
});

test("a session that nobody serves any more and that has no end is a finding with its remedy", async () => {
  const { status, stdout } = await run(sessionsVerify, [], {}, portsOf({ "beta/2026-01-06": lost.lines.join("") }));
  expect(status).toBe(65);
  expect(stdout).toContain("nixgate recover");
});

test("a session that ends while it is looked at is no finding", async () => {
  const whole = archiveOf({ "alpha/2026-01-05": early.lines.join("") });
  const { files } = archiveOf({ "alpha/2026-01-05": early.lines.slice(0, 4).join("") }).scan();
  let looks = 0;
  const archive: Archive = {
    directory: "/log",
    scan: () => ({
      files: files.map((file) => ({ ...file, lines: () => (looks++ === 0 ? file : whole.scan().files[0]!).lines() })),
      problems: [],
    }),
  };
  expect(await run(sessionsVerify, [], {}, { ...portsOf(), archive: () => archive })).toMatchObject({ status: 0 });
  expect(looks).toBe(2);
});

test("--json holds the counts and the findings", async () => {
  const { stdout = "" } = await run(sessionsVerify, [], { json: true }, portsOf(sound));
  expect(JSON.parse(stdout)).toEqual({
    files: 2,
    sessions: 3,
    records: 11,
    running: 1,
    acknowledged: [],
    findings: [],
    layers: {
      chain: { checked: true, what: "11 records" },
      journal: { checked: false, what: expect.any(String) },
      seal: { checked: false, what: expect.any(String) },
    },
  });
});

test("a word too many is a usage error", async () => {
  await expect(run(sessionsVerify, ["all"])).rejects.toMatchObject({ exitStatus: 64 });
});

test("a team with more to read than there is time is named; what was found counts, and another team's is whole", async () => {
  const changed = early.lines.map((line, at) => (at === 1 ? line.replace("rm -rf", "rm -fr") : line));
  const alpha = [...changed, ...oom.lines];
  const beta = sessionLines("2026-01-05T05:00:00Z", undefined, { team: "beta" });
  const days = { "alpha/2026-01-05": alpha.join(""), "alpha/2026-01-04": "", "beta/2026-01-05": beta.lines.join("") };
  let clock = 0;
  const whole = archiveOf(days);
  /** A line of alpha's takes a second. */
  const files = whole.scan().files.map((file) => ({
    ...file,
    owner: () => 990,
    *lines() {
      for (const line of file.lines()) {
        if (file.team === "alpha") clock += 1000;
        yield line;
      }
    },
  }));
  const ports = {
    ...portsOf(),
    archive: (): Archive => ({ ...whole, owner: () => 990, scan: () => ({ files, problems: [] }) }),
    elapsed: () => clock,
    noJournald: () => undefined,
    async *readJournal() {
      for (const line of [...early.lines, ...oom.lines, ...beta.lines]) {
        const entry = { NIXGATE_RECORD: line.trimEnd(), _UID: "990", __REALTIME_TIMESTAMP: "1767582720000000" };
        yield journalCopy(JSON.stringify(entry))!;
      }
    },
  } as unknown as ReturnType<typeof portsOf>;
  const answer = await run(sessionsVerify, [], { within: "7s", json: true }, ports);
  const { findings } = JSON.parse(answer.stdout ?? "");
  expect(findings.map(({ kind, line, path }: Finding) => `${kind} ${path}:${line}`)).toEqual([
    "changed /log/alpha/2026-01-05.jsonl:2",
  ]);
  expect(answer).toMatchObject({
    status: 65,
    stderr: expect.stringContaining(
      "/log/alpha/2026-01-05.jsonl: not read to its end: the time for team alpha is over",
    ),
  });
  expect(answer.stderr).not.toContain("beta");
  const time = await run(sessionsVerify, [], { within: "1d", json: true }, ports);
  expect(JSON.parse(time.stdout ?? "").findings.length).toBeGreaterThan(1);
  await expect(run(sessionsVerify, [], { within: "soon" }, ports)).rejects.toThrow("--within soon");
});
