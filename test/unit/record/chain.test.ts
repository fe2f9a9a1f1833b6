import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import { append, LINE_MAX_BYTES, openChain, resumeChain } from "../../../src/record/chain.ts";
import { SessionRecord } from "../../../src/record/schema.ts";
import type { SessionId } from "../../../src/units/ids.ts";
import { BOOT, bodies, sessionLines } from "../../support/records.ts";

const identity = { session: "019ab000-0000-7000-8000-000000000001" as SessionId, team: "alpha", host: "b", boot: BOOT };
const all = Object.values(bodies);
const chainOf = (line: string) => JSON.parse(line) as { seq: number; prev: string; hash: string };

test.each(all)("$event is written exactly as the schema defines it", (body) => {
  const { line, record } = append(openChain(identity), 0, body);
  expect(SessionRecord.parse(JSON.parse(line))).toEqual(JSON.parse(line));
  expect(record).toEqual(JSON.parse(line));
});

test("every record begins with v, time, event, session, seq, team, host, boot and ends with prev, hash", () => {
  for (const body of all) {
    const keys = Object.keys(JSON.parse(append(openChain(identity), 0, body).line));
    expect(keys.slice(0, 8)).toEqual(["v", "time", "event", "session", "seq", "team", "host", "boot"]);
    expect(keys.slice(-2)).toEqual(["prev", "hash"]);
  }
});

test("hash is SHA-256 over the line's bytes in front of it, and prev is the hash before", () => {
  let prev = "0".repeat(64);
  for (const [seq, line] of sessionLines("2026-01-05T03:12:00Z").lines.entries()) {
    const covered = line.slice(0, line.lastIndexOf(',"hash":'));
    expect(chainOf(line)).toMatchObject({ seq, prev, hash: createHash("sha256").update(covered).digest("hex") });
    expect(line.endsWith(`,"prev":"${prev}","hash":"${chainOf(line).hash}"}\n`)).toBe(true);
    prev = chainOf(line).hash;
  }
});

test("a field that is undefined is absent, never null", () => {
  const { line } = append(openChain(identity), 0, { ...bodies.start, member: undefined, key: undefined });
  expect(Object.keys(JSON.parse(line))).not.toContain("member");
  expect(line).not.toContain("null");
});

test.each([
  ["a newline", "a\nb"],
  ["a carriage return", "a\rb"],
  ["an escape sequence", "a\u001b[2Jb"],
  ["DEL", "a\u007fb"],
  ["a C1 control", "a\u009b2Jb"],
  ["quotes and a backslash", 'a"\\b'],
  ["a line separator", "a\u2028b\u2029"],
  ["a bidi override", "a\u202eb\u2066c"],
  ["a zero-width joiner", "a\u200db"],
  ["a byte order mark", "\ufeffa"],
])("%s in a text cannot break the line or a terminal, and reads back as it was", (_, text) => {
  const { line } = append(openChain({ ...identity, host: text }), 0, { ...bodies.refuse, message: text });
  expect(line.trimEnd()).toMatch(/^[^\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+$/u);
  expect(JSON.parse(line)).toMatchObject({ host: text, message: text });
});

test("a lone surrogate leaves the line well-formed UTF-8", () => {
  const { line } = append(openChain(identity), 0, { ...bodies.refuse, message: "a\ud800b" });
  expect(Buffer.from(line).toString()).toBe(line);
  expect(line).toContain("\\ud800");
});

test("a record that no reader would take is not made", () => {
  const body = { ...bodies.refuse, message: "x".repeat(LINE_MAX_BYTES) };
  expect(() => append(openChain(identity), 0, body)).toThrow(
    expect.objectContaining({ code: "E_RECORD_LENGTH", exitStatus: 70 }),
  );
});

test("a clock set back changes the time and nothing else", () => {
  const first = append(openChain(identity), 5000, bodies.start);
  const second = append(first.chain, 1000, bodies.end);
  expect(second.record).toMatchObject({ seq: 1, prev: first.record.hash, time: "1970-01-01T00:00:01.000Z" });
});

test("a chain can be taken up from its last record", () => {
  const first = append(openChain(identity), 0, bodies.start);
  expect(resumeChain(first.record)).toEqual(first.chain);
});
