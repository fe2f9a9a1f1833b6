import { expect, test } from "vitest";
import { openSessions } from "../../../../src/archive/sessions/open-sessions.ts";
import type { SessionId } from "../../../../src/units/ids.ts";
import { bodies, sessionLines } from "../../../support/records.ts";

const START = "2026-01-05T03:12:00Z";

test("a session is open from its start to its end, a command likewise", () => {
  const { lines, session } = sessionLines(START, [bodies.start, bodies.run, bodies.ran, bodies.end]);
  const open = openSessions();
  const seen = lines.map((line) => {
    open.take({ team: "alpha", text: line });
    return open.all().map((one) => [one.session, one.command === undefined ? "idle" : "running"]);
  });
  expect(seen).toEqual([[[session, "idle"]], [[session, "running"]], [[session, "idle"]], []]);
});

test.each([
  "",
  "not a record",
  '{"v":1,"time":"2026',
  sessionLines(START).lines[2] as string,
  ` ${sessionLines(START).lines[0]}`,
])("%j opens nothing", (line) => {
  const open = openSessions();
  open.take({ team: "alpha", text: line });
  expect(open.all()).toEqual([]);
});

test("a client's request is not taken for a record's beginning", () => {
  const [start = "", run = ""] = sessionLines(START, [
    bodies.start,
    { ...bodies.run, request: '{"v":1,"time":"","event":"session.end","session":"x"' },
  ]).lines;
  const open = openSessions();
  open.take({ team: "alpha", text: start });
  open.take({ team: "alpha", text: run });
  expect(open.all()).toMatchObject([{ start, command: run }]);
});

test("a session is one of its folder's team: an end with the same id in another folder ends nothing", () => {
  const { lines, session } = sessionLines(START, [bodies.start, bodies.run]);
  const open = openSessions();
  for (const text of lines) open.take({ team: "beta", text });
  for (const text of sessionLines(START, [bodies.start, bodies.end], { session: session as SessionId }).lines)
    open.take({ team: "alpha", text });
  expect(open.all()).toMatchObject([{ team: "beta", session, start: lines[0], command: lines[1] }]);
  open.drop({ team: "alpha", session });
  expect(open.all()).toHaveLength(1);
  open.drop({ team: "beta", session });
  expect(open.all()).toEqual([]);
});
