import { expect, test } from "vitest";
import { sessionsShow } from "../../../../src/commands/sessions/sessions-show.ts";
import { bodies, sessionLines } from "../../../support/records.ts";
import { early, portsOf, run, running } from "./sessions.fixture.ts";

test("a session is a story with times from its start, then every field", async () => {
  const { status, stdout = "", stderr } = await run(sessionsShow, [early.session]);
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const lines = stdout.split("\n");
  expect(lines[0]).toBe(`session ${early.session}`);
  expect(lines[1]).toMatch(
    /^team alpha, member ci, on builder, from 10\.0\.0\.5, 2026-01-05 .*, 12\.3 s, 1 command, 1 denied, status 0$/,
  );
  expect(lines.slice(3, 8)).toEqual([
    "  +0.000 s  session started: team alpha, member ci as nix-alpha from 10.0.0.5 port 51234",
    "  +1.000 s  request 1 denied (not-allowlisted): rm -rf /",
    "  +2.000 s  command 2 started by rule allow[0]: nix-store --serve --write",
    "  +3.000 s  command 2 ended: exit 0 after 9.8 s; CPU 3.1 s, memory peak 812 MiB, tasks peak 12, 1 left over and ended",
    "  +4.000 s  session ended: exit, status 0, 1 command, 1 denied",
  ]);
  expect(lines[9]).toBe("chain: sound over 5 records in /log/alpha/2026-01-05.jsonl");
  expect(stdout).toMatch(/^session\.start +2026-01-05T03:12:00\.000Z$/m);
  expect(stdout).toMatch(/^ {2}client\.ip +10\.0\.0\.5$/m);
  expect(stdout).toMatch(/^ {2}usage\.memory_peak_bytes +851443712$/m);
  expect(stdout).toMatch(/^ {2}limits\.asked\.TasksMax +256$/m);
});

test.each([
  ["the whole id", early.session],
  ["its end", early.session.slice(-4)],
  ["its beginning", early.session.slice(0, 12)],
  ["capitals", early.session.toUpperCase()],
])("%s finds it", async (_, part) => {
  expect((await run(sessionsShow, [part])).stdout).toContain(`session ${early.session}\n`);
});

test("--json is the summary, the records as written, and the findings", async () => {
  const { stdout = "" } = await run(sessionsShow, [early.session], { json: true });
  expect(JSON.parse(stdout)).toEqual({
    summary: expect.objectContaining({ session: early.session, state: "ended" }),
    records: early.lines.map((line) => JSON.parse(line)),
    findings: [],
  });
});

test("a running session is whole as far as it is", async () => {
  const { status, stdout } = await run(sessionsShow, [running.session]);
  expect(status).toBe(0);
  expect(stdout).toContain("running");
});

test.each<[string[], string]>([
  [["019ab000-0000-7000-8000-000000000001"], "no such session"],
  [["0"], "fits 2 sessions"],
  [["no\u001bsuch"], "no\\u{1b}such"],
  [[], "takes one id"],
  [[""], "takes one id"],
  [["a", "b"], "takes one id"],
])("%o is a usage error", async (positionals, words) => {
  const files = { "alpha/2026-01-05": [...early.lines, ...sessionLines("2026-01-05T05:00:00Z").lines].join("") };
  await expect(run(sessionsShow, positionals, {}, portsOf(files))).rejects.toMatchObject({
    exitStatus: 64,
    message: expect.stringContaining(words),
    hint: expect.any(String),
  });
});

test("a session with a record changed is shown, and said to be changed", async () => {
  const files = { "alpha/2026-01-05": early.lines.join("").replace("rm -rf /", "ls -la /") };
  const { status, stdout, stderr } = await run(sessionsShow, [early.session], {}, portsOf(files));
  expect(status).toBe(65);
  expect(stdout).toContain("chain: 1 finding in");
  expect(stderr).toMatch(/^\/log\/alpha\/2026-01-05\.jsonl:2: a byte of this line was changed/);
});

test("text in records cannot reach the terminal raw", async () => {
  const nasty = "\u001b]0;x\u0007\u202e\u009b\r\n";
  const { lines, session } = sessionLines("2026-01-05T03:12:00Z", [
    { ...bodies.start, user: nasty, key: { type: nasty, fingerprint: nasty } },
    { ...bodies.run, argv: [nasty], limits: { asked: { [nasty]: nasty }, applied: {} } },
    { ...bodies.end },
  ]);
  const { stdout = "" } = await run(sessionsShow, [session], {}, portsOf({ "alpha/2026-01-05": lines.join("") }));
  expect(stdout.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  const json = await run(sessionsShow, [session], { json: true }, portsOf({ "alpha/2026-01-05": lines.join("") }));
  expect(json.stdout?.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
});
