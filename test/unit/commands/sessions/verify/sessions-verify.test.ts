import { expect, test } from "vitest";
import type { Archive } from "../../../../../src/archive/archive.ts";
import { sessionsVerify } from "../../../../../src/commands/sessions/verify/sessions-verify.ts";
import { archiveOf } from "../../../../support/archive-in-memory.ts";
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
    `/log/alpha/2026-01-05.jsonl:3: session ${early.session}: seq 3 follows seq 1: records between them are gone (sound until 2026-01-05T03:12:01.000Z) [chain]\n` +
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
