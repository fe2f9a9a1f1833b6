import { expect, test } from "vitest";
import { verifyFile } from "../../../src/archive/verify/verify.ts";
import { hostConfig } from "../../../src/policy/schema/defaults.ts";
import { RecordError } from "../../../src/record/error.ts";
import type { RecordBody, SessionRecord } from "../../../src/record/schema.ts";
import type { LateRecords } from "../../../src/session/ports.ts";
import { openSessionLog, RecordFailure } from "../../../src/session/session-log.ts";
import { makeSessionId } from "../../../src/units/ids.ts";
import { archiveOf } from "../../support/archive-in-memory.ts";
import { fakeClient, fakeRecords, TEAM } from "../../support/fake-ports.ts";
import { bodies } from "../../support/records.ts";

const MIDNIGHT = Date.parse("2026-01-06T00:00:00Z");

/**
 * A log whose file takes each line but those that `fails` names by their number. Where a line is to be durable, what
 * `syncing` gives says when it is.
 * @param startedAt when the session arrived; its first record is written 5 ms later
 */
function open(
  startedAt: number,
  {
    fails = [] as readonly number[],
    onFailure = "continue" as "continue" | "refuse",
    syncing = (): Promise<void> | undefined => undefined,
    wall = startedAt,
  } = {},
) {
  const lines: string[] = [];
  const opened: number[] = [];
  const told: string[] = [];
  const journal: string[] = [];
  const late: LateRecords[] = [];
  let now = 0;
  let tries = 0;
  const log = openSessionLog(
    {
      session: makeSessionId(startedAt, new Uint8Array(10)),
      machine: { host: "builder-1", boot: "b" },
      team: TEAM,
      arrived: { startedAt, arrivedAt: 0 },
      settings: { ...hostConfig({ schema: 1 }).log, directory: "/log", journald: true, onFailure },
    },
    {
      clock: { now: () => wall, monotonic: () => (now += 5), after: () => () => undefined },
      client: fakeClient(told),
      records: fakeRecords({
        open(_directory: string, _team: string, start: number) {
          opened.push(start);
          return {
            append(line: string, { durable }: { readonly durable: boolean }) {
              tries += 1;
              if (fails.includes(tries)) throw new RecordError("E_LOG_WRITE", "EIO (write)");
              lines.push(line);
              return durable ? syncing() : undefined;
            },
            close: () => undefined,
          };
        },
        later: (one: LateRecords) => void late.push(one),
        tellJournal: (_session: string, _team: string, message: string) => void journal.push(message),
      }).records,
    },
  );
  const found = (day: string) => {
    const [file] = archiveOf({ [`alpha/${day}`]: lines.join("") }).scan().files;
    return [...verifyFile(file!, () => false, { sessions: 0, records: 0, running: 0 })].map(({ kind }) => kind);
  };
  const events = () => lines.map((line): SessionRecord => JSON.parse(line)).map(({ event, seq }) => `${seq} ${event}`);
  return { log, opened, told, journal, lines, late, found, events };
}

const { start, run, ran, end } = bodies as unknown as Record<string, RecordBody>;

test("a session that arrives at midnight is of the day on which it arrived, and so is its first record", () => {
  const { log, opened, lines, found } = open(MIDNIGHT - 1);
  for (const body of [start, run, ran, end]) log.write(body!);
  expect(opened).toEqual([MIDNIGHT - 1]);
  expect(JSON.parse(lines[0]!).time).toBe("2026-01-05T23:59:59.999Z");
  expect(JSON.parse(lines[1]!).time).toMatch(/^2026-01-06T00:00:00/);
  expect(found("2026-01-05")).toEqual([]);
});

test.each([-3_600_000, 7_200_000])("a step of the clock by %i ms in a session changes none of its times", (step) => {
  const { log, lines } = open(MIDNIGHT, { wall: MIDNIGHT + step });
  for (const body of [start, run, ran]) log.write(body!);
  const elapsed = log.elapsed();
  log.write({ ...end!, wall_ms: elapsed } as RecordBody, { elapsed });
  const offsets = lines.map((line) => Date.parse(JSON.parse(line).time) - MIDNIGHT);
  expect(offsets).toEqual([0, 10, 15, 20]);
  expect(JSON.parse(lines[3]!).wall_ms).toBe(20);
});

test("a record that could not be written is written before the next, so that the file has no gap", () => {
  const { log, told, events, found, late } = open(MIDNIGHT, { fails: [2] });
  for (const body of [start, run, ran, end]) log.write(body!);
  log.close();
  expect(told).toHaveLength(1);
  expect(events()).toEqual(["0 session.start", "1 command.start", "2 command.end", "3 session.end"]);
  expect(found("2026-01-06")).toEqual([]);
  expect(late).toEqual([]);
});

test('by on_failure = "refuse" a session whose end cannot be written has one end only, the one that follows', () => {
  const { log, events, late, lines } = open(MIDNIGHT, { fails: [2, 3, 4], onFailure: "refuse" });
  log.write(start!);
  expect(() => log.write(end!)).toThrow(RecordFailure);
  log.write(bodies.refuse);
  log.write({ ...end!, exit: 74 } as RecordBody);
  log.close();
  lines.push(...(late[0]?.lines ?? []));
  expect(events()).toEqual(["0 session.start", "1 session.refuse", "2 session.end"]);
});

test("what could not be written to the session's end is left to be written later, in its order", () => {
  const { log, events, late, lines, found } = open(MIDNIGHT, { fails: [2, 3, 4] });
  for (const body of [start, run, ran, end]) log.write(body!);
  log.close();
  expect(events()).toEqual(["0 session.start"]);
  expect(late).toMatchObject([{ directory: "/log", team: "alpha", start: MIDNIGHT }]);
  lines.push(...(late[0]?.lines ?? []));
  expect(events()).toEqual(["0 session.start", "1 command.start", "2 command.end", "3 session.end"]);
  expect(found("2026-01-06")).toEqual([]);
});

test("of very many records that cannot be written none is kept, and the file stays the beginning of its chain", () => {
  const { log, events, late } = open(MIDNIGHT, { fails: Array.from({ length: 256 }, (_, at) => at + 2) });
  log.write(start!);
  for (let count = 0; count < 300; count += 1) log.write(run!);
  log.write(end!);
  log.close();
  expect(events()).toEqual(["0 session.start"]);
  expect(late).toEqual([]);
});

test('by on_failure = "refuse" the first one that cannot be written is thrown, and is written with the others', () => {
  const { log, events } = open(MIDNIGHT, { fails: [2, 3], onFailure: "refuse" });
  log.write(start!);
  expect(() => log.write(run!)).toThrow(RecordFailure);
  expect(() => log.write(ran!)).not.toThrow();
  log.write(end!);
  expect(events()).toEqual(["0 session.start", "1 command.start", "2 command.end", "3 session.end"]);
});

test("what is on its way to the disk is waited for, and nothing else", async () => {
  let arrive = () => {};
  const disk = new Promise<void>((resolve) => {
    arrive = resolve;
  });
  const { log } = open(MIDNIGHT, { onFailure: "refuse", syncing: () => disk });
  await log.settled();
  log.write(start!, { durable: true });
  log.write(run!);
  let settled = false;
  const settling = log.settled().then(() => {
    settled = true;
  });
  await new Promise(setImmediate);
  expect(settled).toBe(false);
  arrive();
  await settling;
});

const failing = () => Promise.reject(new RecordError("E_LOG_WRITE", "EIO (fdatasync)"));

test('by on_failure = "refuse" no command begins behind a record that does not get to the disk', async () => {
  const { log, told, journal } = open(MIDNIGHT, { onFailure: "refuse", syncing: failing });
  log.write(start!, { durable: true });
  await expect(log.settled()).rejects.toThrow(RecordFailure);
  expect(told).toEqual([]); // who catches it says so
  expect(journal).toEqual(["EIO (fdatasync)"]);
});

test('by on_failure = "continue" it is said once, to the client and to the journal', async () => {
  const { log, told, journal } = open(MIDNIGHT, { syncing: failing });
  log.write(start!, { durable: true });
  await log.settled();
  log.write(end!, { durable: true });
  await log.settled();
  expect(told).toEqual([expect.stringContaining("this session continues without being recorded")]);
  expect(journal).toEqual(["the session continues without records in its file: EIO (fdatasync)"]);
});
