import { expect, test } from "vitest";
import { heldAllowance } from "../../../../src/archive/verify/held-allowance.ts";
import type { JournalCopy } from "../../../../src/archive/verify/journal-copy.ts";
import { journalSessions } from "../../../../src/archive/verify/journal-sessions.ts";
import { append, openChain } from "../../../../src/record/chain.ts";
import type { SessionRecord } from "../../../../src/record/schema.ts";
import type { SessionId } from "../../../../src/units/ids.ts";
import { BOOT, bodies } from "../../../support/records.ts";

const identity = {
  session: "019ab000-0000-7000-8000-000000000001" as SessionId,
  team: "alpha",
  host: "builder",
  boot: BOOT,
};

/** What is sent of a session with a start and an end. */
function copies(): readonly [JournalCopy, JournalCopy] {
  const start = append(openChain(identity), Date.UTC(2026, 0, 1), bodies.start);
  const end = append(start.chain, Date.UTC(2026, 0, 1), bodies.end);
  const copyOf = ({ record, line }: { readonly record: SessionRecord; readonly line: string }) =>
    ({ record, bytes: Buffer.from(line), digest: record.hash, uid: 0, received: 0 }) as unknown as JournalCopy;
  return [copyOf(start), copyOf(end)];
}

function written(taken: readonly JournalCopy[]): readonly string[] {
  const lines: string[] = [];
  const sessions = journalSessions((_team, _day, line) => void lines.push(JSON.parse(line).event));
  for (const copy of taken) sessions.take(copy);
  sessions.end();
  return lines;
}

test("copies come in the order of their session, whatever order they were sent in", () => {
  const [start, end] = copies();
  expect(written([start, end])).toEqual(["session.start", "session.end"]);
  expect(written([end, start])).toEqual(["session.start", "session.end"]);
});

test("copies that a supervisor sends again because its predecessor was killed are not written twice", () => {
  const [start, end] = copies();
  expect(written([start, start, end, end])).toEqual(["session.start", "session.end"]);
  expect(written([start, end, start, end])).toEqual(["session.start", "session.end"]);
});

test("a repeated copy that differs is written, so that verify finds it", () => {
  const [start, end] = copies();
  const other = { ...start, digest: "0".repeat(64) };
  expect(written([start, other, end])).toEqual(["session.start", "session.start", "session.end"]);
});

/** Copies that an account sent. */
const by = (uid: number, ...sent: readonly JournalCopy[]) => sent.map((copy) => ({ ...copy, uid }));
const OWN = bodies.start.uid;

function taken(all: readonly JournalCopy[], allowance = heldAllowance()) {
  const lines: string[] = [];
  const sessions = journalSessions(
    (team, _day, line) => void lines.push(`${team} ${JSON.parse(line).event}`),
    allowance,
  );
  for (const copy of all) sessions.take(copy);
  sessions.end();
  return { lines, strangers: sessions.strangers(), beyond: [...sessions.beyond()] };
}

test("a copy without a session.start counts only if root sent it", () => {
  const [, end] = copies();
  expect(taken(by(0, end))).toEqual({ lines: ["alpha session.end"], strangers: 0, beyond: [] });
  expect(taken(by(5555, end))).toEqual({ lines: [], strangers: 1, beyond: [] });
  expect(taken(by(OWN, end))).toEqual({ lines: [], strangers: 1, beyond: [] });
});

test("a session.start counts only from root and from the account that it names, and names no other team", () => {
  const [start, end] = copies();
  const forged = { ...start, record: { ...start.record, team: "beta" }, digest: "0".repeat(64) } as JournalCopy;
  const own = by(OWN, start, end);
  const expected = { lines: ["alpha session.start", "alpha session.end"], strangers: 1, beyond: [] };
  expect(taken([...by(5555, forged), ...own])).toEqual(expected);
  expect(taken([own[0] as JournalCopy, ...by(5555, end), own[1] as JournalCopy])).toEqual(expected);
  expect(taken([...by(5555, end), ...own])).toEqual(expected);
});

test("many copies for one position of a session take time in proportion to their number", () => {
  const [, end] = copies();
  const took = (count: number) => {
    const before = performance.now();
    const many = Array.from({ length: count }, (_, at) => ({ ...end, uid: 5555, digest: `${at}` }));
    expect(taken(many, heldAllowance(Number.MAX_SAFE_INTEGER)).strangers).toBe(count);
    return performance.now() - before;
  };
  took(1000);
  expect(took(40_000)).toBeLessThan(2000);
});

test("an account whose copies wait for others is held up to its allowance, and the others' copies count", () => {
  const [start, end] = copies();
  const other = (at: number) => ({ ...end, record: { ...end.record, session: `waits-${at}` } }) as JournalCopy;
  const many = Array.from({ length: 100 }, (_, at) => other(at));
  const { lines, strangers, beyond } = taken([...by(5555, ...many), ...by(OWN, start, end)], heldAllowance(60_000));
  expect(lines).toEqual(["alpha session.start", "alpha session.end"]);
  const left = new Map(beyond).get(5555) ?? 0;
  expect([...new Map(beyond).keys()]).toEqual([5555]);
  expect(left).toBeGreaterThan(50);
  expect(left + strangers).toBe(100);
});

test("an ended session gives its part of the account's allowance back", () => {
  const [start, end] = copies();
  const ofSession = (at: number) =>
    [end, start].map((one) => ({ ...one, record: { ...one.record, session: `s-${at}` } }) as JournalCopy);
  const many = Array.from({ length: 1000 }, (_, at) => by(OWN, ...ofSession(at))).flat();
  expect(taken(many, heldAllowance(10_000))).toMatchObject({ beyond: [], strangers: 0, lines: { length: 2000 } });
});

test("a session with a missing copy is written before its copies fill the memory, and loses none", () => {
  const [start, end] = copies();
  const late = Array.from({ length: 3000 }, (_, at) => ({
    ...end,
    record: { ...end.record, seq: at + 2, event: "command.deny" },
    digest: `${at}`,
  })) as unknown as JournalCopy[];
  const lines: number[] = [];
  const sessions = journalSessions(() => void lines.push(1));
  for (const copy of by(OWN, start, ...late)) sessions.take(copy);
  expect(lines.length).toBeGreaterThan(2000);
  sessions.end();
  expect(lines).toHaveLength(3001);
});
