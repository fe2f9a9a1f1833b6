import { describe, expect, test } from "vitest";
import { closing, continued, unendedIn } from "../../../../src/archive/lost/unended.ts";
import { verifyFile } from "../../../../src/archive/verify/verify.ts";
import type { RecordBody, SessionRecord } from "../../../../src/record/schema.ts";
import type { SessionId } from "../../../../src/units/ids.ts";
import { archiveOf } from "../../../support/archive-in-memory.ts";
import { bodies, sessionLines } from "../../../support/records.ts";

const START = "2026-01-05T03:12:00.000Z";
const NOW = Date.parse(START) + 60_000;
const fileOf = (text: string, team = "alpha") => archiveOf({ [`${team}/2026-01-05`]: text }).scan().files[0]!;
const findings = (text: string) => [...verifyFile(fileOf(text), () => false, { sessions: 0, records: 0, running: 0 })];
const second = { ...bodies.run, n: 3 };

test.each<[string, RecordBody[], number[], { commands: number; denied: number }]>([
  ["waiting for a line", [bodies.start], [], { commands: 0, denied: 0 }],
  ["refusing", [bodies.start, bodies.refuse], [], { commands: 0, denied: 0 }],
  ["denying", [bodies.start, bodies.deny], [], { commands: 0, denied: 1 }],
  ["running a command", [bodies.start, bodies.deny, bodies.run], [2], { commands: 1, denied: 1 }],
  ["between two commands", [bodies.start, bodies.run, bodies.ran], [], { commands: 1, denied: 0 }],
  ["running the second one", [bodies.start, bodies.run, bodies.ran, second], [3], { commands: 2, denied: 0 }],
])("a session that was lost while %s is ended, and its chain is sound", (_, said, open, counts) => {
  const { lines, session } = sessionLines(START, said);
  const [lost] = unendedIn(fileOf(lines.join("")));
  const added = closing(lost!, NOW, new Map([[2, 4]]));
  expect(added.map(({ record }) => record)).toMatchObject([
    ...open.map((n) => ({ event: "command.end", n, cause: "supervisor-lost", usage: {} })),
    { event: "session.end", session, exit: 137, cause: "supervisor-lost", wall_ms: 60_000, ...counts },
  ]);
  expect(added.map(({ record }) => ("leftovers" in record ? record.leftovers : undefined))).toEqual([
    ...open.map((n) => (n === 2 ? 4 : undefined)),
    undefined,
  ]);
  const whole = lines.concat(added.map(({ line }) => line)).join("");
  expect(findings(whole)).toEqual([]);
  expect(unendedIn(fileOf(whole))).toEqual([]);
});

test("only the latest commands of a thousand without an end are ended, whoever wrote them", () => {
  const commands = Array.from({ length: 1000 }, (_, index): RecordBody => ({ ...bodies.run, n: index + 1 }));
  const [lost] = unendedIn(fileOf(sessionLines(START, [bodies.start, ...commands]).lines.join("")));
  const ends = closing(lost!, NOW, new Map()).map(({ record }) => record);
  expect(ends).toHaveLength(9);
  expect(ends[7]).toMatchObject({ event: "command.end", n: 1000 });
  expect(ends[8]).toMatchObject({ event: "session.end", commands: 1000 });
});

test("an end half written is finished: what is there already is not written again", () => {
  const { lines } = sessionLines(START, [bodies.start, bodies.run]);
  const [lost] = unendedIn(fileOf(lines.join("")));
  const [commandEnd] = closing(lost!, NOW, new Map());
  const half = lines.join("") + commandEnd?.line;
  const [again] = unendedIn(fileOf(half));
  expect(closing(again!, NOW, new Map()).map(({ record }) => record.event)).toEqual(["session.end"]);
});

test.each([
  ["torn", (end: string) => end.slice(0, -9)],
  ["torn, with the next record behind it", (end: string) => end.slice(0, 200) + sessionLines(START).lines[0]],
])("a session.end that is %s ends no session", (_, damage) => {
  const { lines, session } = sessionLines(START);
  const text = lines.slice(0, -1).join("") + damage(lines.at(-1)?.trimEnd() ?? "");
  expect(unendedIn(fileOf(text)).map(({ start }) => start.session)).toEqual([session]);
});

test("a file whose sessions have all ended is read once, without decoding its records", () => {
  const file = fileOf(`${sessionLines(START).lines.join("")}${sessionLines(START).lines.join("")}`);
  let readings = 0;
  const counted = {
    ...file,
    lines: () => {
      readings += 1;
      return file.lines();
    },
  };
  expect(unendedIn(counted)).toEqual([]);
  expect(readings).toBe(1);
});

test("a clock set back makes no duration below zero", () => {
  const [lost] = unendedIn(fileOf(sessionLines(START, [bodies.start, bodies.run]).lines.join("")));
  expect(closing(lost!, NOW - 86_400_000, new Map()).map(({ record }) => record)).toMatchObject([
    { wall_ms: 0 },
    { wall_ms: 0 },
  ]);
});

const ended = sessionLines(START);
test.each([
  ["a session that has ended", ended.lines.join("")],
  ["an ended session whose beginning was copied behind its end", ended.lines.join("") + ended.lines[0]],
  ["a session without its session.start", ended.lines.slice(1, 3).join("")],
  ["a session of another team", sessionLines(START, [bodies.start], { team: "beta" }).lines.join("")],
  ["what is no record", `${"x".repeat(99)}\n{"v":1}\n`],
])("%s is nobody's to end", (_, text) => expect(unendedIn(fileOf(text))).toEqual([]));

test.each([{ team: "beta" }, { host: "elsewhere" }, { boot: "0".repeat(8) }])(
  "a record of %j inside of a session does not have its end written in that name",
  (other) => {
    const { lines, session } = sessionLines(START, [bodies.start, bodies.run]);
    const foreign = sessionLines(START, [bodies.start, bodies.run, bodies.deny], {
      session: session as SessionId,
      ...other,
    });
    const [lost] = unendedIn(fileOf([...lines, foreign.lines[2]].join("")));
    for (const { record } of closing(lost!, NOW, new Map()))
      expect(record).toMatchObject({ team: "alpha", host: "builder", boot: JSON.parse(lines[0]!).boot });
    expect(lost).toMatchObject({ denied: 0, commands: 1 });
  },
);

describe("what the journal knows better", () => {
  const { session, lines } = sessionLines("2026-01-05T03:12:00Z");
  const copies = lines.map((line) => ({ record: JSON.parse(line) as SessionRecord, line: line.trimEnd() }));
  const cutAt = (count: number) => {
    const [file] = archiveOf({ "alpha/2026-01-05": lines.slice(0, count).join("") }).scan().files;
    return unendedIn(file!)[0]!;
  };

  test.each([1, 2, 3, 4])("is put behind the %i records that the file has, in whatever order it comes", (count) => {
    const { more, rest } = continued(cutAt(count), [...copies].reverse());
    expect(more.map(({ line }) => `${line}\n`)).toEqual(lines.slice(count));
    expect(rest).toBeUndefined();
  });

  test("is not more than it has: the session then is lost from there on", () => {
    const { more, rest } = continued(cutAt(1), copies.slice(0, 3));
    expect(more).toHaveLength(2);
    expect(rest).toMatchObject({ commands: 1, denied: 1, start: { session } });
    expect(closing(rest!, Date.parse("2026-01-05T03:13:00Z"), new Map()).map(({ record }) => record.event)).toEqual([
      "command.end",
      "session.end",
    ]);
  });

  test("is nothing of another session, and nothing that does not continue the chain", () => {
    const stranger = sessionLines("2026-01-05T03:12:00Z").lines.map((line) => JSON.parse(line) as SessionRecord);
    const forged = copies.map(({ record, line }) => ({ record: { ...record, prev: "0".repeat(64) }, line }));
    const others = stranger.map((record) => ({ record, line: "" }));
    expect(continued(cutAt(2), [...others, ...forged]).more).toEqual([]);
  });
});
