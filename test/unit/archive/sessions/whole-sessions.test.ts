import { expect, test } from "vitest";
import { wholeSessions } from "../../../../src/archive/sessions/whole-sessions.ts";
import { archiveOf } from "../../../support/archive-in-memory.ts";
import { bodies, sessionLines } from "../../../support/records.ts";

const [a, b] = [sessionLines("2026-01-05T03:12:00Z"), sessionLines("2026-01-05T03:12:01Z")];

function read(text: string) {
  const said: string[] = [];
  const [file] = archiveOf({ "alpha/2026-01-05": text }).scan().files;
  const sessions = [
    ...wholeSessions(
      file!,
      () => false,
      ({ path, what }) => said.push(`${path.split(":")[1]}: ${what}`),
    ),
  ];
  return { said, sessions };
}

test("sessions come with their own records and lines, in the order of their ends, open ones last", () => {
  const open = sessionLines("2026-01-05T03:11:00Z").lines.slice(0, 2);
  const { sessions } = read([...open, a.lines[0], b.lines[0], ...b.lines.slice(1), ...a.lines.slice(1)].join(""));
  expect(sessions.map(({ lines }) => lines.map((line) => `${line}\n`))).toEqual([b.lines, a.lines, open]);
  expect(sessions.map(({ summary }) => summary.state)).toEqual(["ended", "ended", "lost"]);
  expect(sessions[0]?.records.map(({ seq }) => seq)).toEqual([0, 1, 2, 3, 4]);
});

test("a line that is torn, foreign or of an impossible day is reported and left out", () => {
  const never = (a.lines[1] ?? "").replace(/"time":"[^"]*"/, '"time":"2026-02-99T00:00:00.000Z"');
  const { said, sessions } = read([a.lines[0], '{"torn\n', never, "{}\n", ...a.lines.slice(2)].join(""));
  expect(said).toEqual([
    "2: torn: not a whole JSON object; a crash or a full disk can cause this",
    "3: not a record of nixgate: time: no such day",
    expect.stringMatching(/^4: not a record of nixgate: /),
  ]);
  expect(sessions.map(({ lines }) => lines.length)).toEqual([4]);
});

test("a record of another team than its folder's is reported and left out, and the session beside it stays whole", () => {
  const beta = sessionLines("2026-01-05T03:13:00Z", undefined, { team: "beta" });
  const host = sessionLines("2026-01-05T03:14:00Z", [bodies.close]);
  const { said, sessions } = read([a.lines[0], ...beta.lines, ...host.lines, ...a.lines.slice(1)].join(""));
  expect(said).toEqual([
    ...[2, 3, 4, 5, 6].map((line) => `${line}: misplaced: a session of team beta in the folder of alpha`),
    "7: misplaced: host.close in the folder of alpha",
  ]);
  expect(sessions.map(({ summary, lines }) => [summary.team, lines.length])).toEqual([["alpha", 5]]);
});

test("a record of another team within a session is no part of that session", () => {
  const forged = a.lines[4]?.replace('"team":"alpha"', '"team":"beta"');
  const { said, sessions } = read([...a.lines.slice(0, 3), forged, ...a.lines.slice(3)].join(""));
  expect(said).toHaveLength(1);
  expect(sessions.map(({ lines }) => lines.length)).toEqual([5]);
});
