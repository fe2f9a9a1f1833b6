import { expect, test } from "vitest";
import {
  dayOfSession,
  type Fd,
  makeSessionId,
  memberName,
  type Pid,
  sessionId,
  teamName,
  toFd,
  toPid,
} from "../../../src/units/ids.ts";

test.each(["a", "alpha", "a-b-1", "a-", `a${"1".repeat(31)}`])("%j is a name of a team and of a member", (text) => {
  expect([teamName(text), memberName(text)]).toEqual([text, text]);
});

test.each(["", "Alpha", "1a", "-a", "_unassigned", "a_b", "a.b", "a/b", "..", "a b", "a\n", "ä", `a${"1".repeat(32)}`])(
  "%j is no name",
  (text) => {
    expect([teamName(text), memberName(text)]).toEqual([undefined, undefined]);
  },
);

// RFC 9562, appendix A.6
const EXAMPLE = "017f22e2-79b0-7cc3-98c4-dc0c0c07398f";
const EXAMPLE_TIME = Date.parse("2022-02-22T19:22:22.000Z");

test("an id is made as the RFC's own example is", () => {
  expect(makeSessionId(EXAMPLE_TIME, Buffer.from("0cc318c4dc0c0c07398f", "hex"))).toBe(EXAMPLE);
});

test.each([
  [0x00, "00000000-0000-7000-8000-000000000000"],
  [0xff, "ffffffff-ffff-7fff-bfff-ffffffffffff"],
])("whatever is random, version and variant stay: 0x%x", (byte, id) => {
  const made = makeSessionId(byte === 0 ? 0 : 2 ** 48 - 1, new Uint8Array(16).fill(byte));
  expect(made).toBe(id);
  expect(sessionId(made)).toBe(id);
});

test("ids sort by the start of their sessions", () => {
  const times = [0, 1, 255, 256, 2 ** 32 - 1, 2 ** 32, EXAMPLE_TIME, EXAMPLE_TIME + 1];
  const ids = times.map((time, index) => makeSessionId(time, new Uint8Array(10).fill(255 - index)));
  expect([...ids].sort()).toEqual(ids);
});

test.each([
  ["nothing", ""],
  ["capitals", EXAMPLE.toUpperCase()],
  ["another version", EXAMPLE.replace("-7cc3", "-4cc3")],
  ["another variant", EXAMPLE.replace("-98c4", "-c8c4")],
  ["no dashes", EXAMPLE.replaceAll("-", "")],
  ["a line end", `${EXAMPLE}\n`],
  ["something in front", `/${EXAMPLE}`],
])("a text with %s is no id", (_, text) => {
  expect(sessionId(text)).toBeUndefined();
});

test.each([
  ["2026-01-05T23:59:59.999Z", 0, "2026-01-05"],
  ["2026-01-06T00:00:00.000Z", 0, "2026-01-06"],
  ["2026-01-05T23:59:59.999Z", 1, "2026-01-06"],
])("a session of %s is, %i ms later, of the day %s", (start, later, day) => {
  expect(dayOfSession(makeSessionId(Date.parse(start), new Uint8Array(10)), later)).toBe(day);
});

test("a pid and a descriptor stay the same numbers, and no type is taken for another", () => {
  const [pid, fd] = [toPid(7), toFd(7)];
  // @ts-expect-error a descriptor is no pid
  const pids: readonly Pid[] = [pid, fd];
  // @ts-expect-error a pid is no descriptor
  const descriptors: readonly Fd[] = [fd, pid];
  // @ts-expect-error a bare number is no pid
  const bare: Pid = 7;
  expect([...pids, ...descriptors, bare]).toEqual([7, 7, 7, 7, 7]);
});
