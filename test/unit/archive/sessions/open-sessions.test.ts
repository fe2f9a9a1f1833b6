import { expect, test } from "vitest";
import { openSessions } from "../../../../src/archive/sessions/open-sessions.ts";
import { bodies, sessionLines } from "../../../support/records.ts";

const START = "2026-01-05T03:12:00Z";

test("a session is open from its start to its end, a command likewise", () => {
  const { lines, session } = sessionLines(START, [bodies.start, bodies.run, bodies.ran, bodies.end]);
  const open = openSessions();
  const seen = lines.map((line) => {
    open.take(line);
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
  open.take(line);
  expect(open.all()).toEqual([]);
});

test("what a client puts into a request is not taken for a record's beginning", () => {
  const [start = "", run = ""] = sessionLines(START, [
    bodies.start,
    { ...bodies.run, request: '{"v":1,"time":"","event":"session.end","session":"x"' },
  ]).lines;
  const open = openSessions();
  open.take(start);
  open.take(run);
  expect(open.all()).toMatchObject([{ start, command: run }]);
});
