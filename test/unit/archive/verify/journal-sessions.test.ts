import { expect, test } from "vitest";
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

test("what comes again and differs is written, for verify to find", () => {
  const [start, end] = copies();
  const other = { ...start, digest: "0".repeat(64) };
  expect(written([start, other, end])).toEqual(["session.start", "session.start", "session.end"]);
});
