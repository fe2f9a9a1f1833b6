import { expect, test } from "vitest";
import { RecordError } from "../../../src/record/error.ts";
import type { RecordBody, SessionRecord } from "../../../src/record/schema.ts";
import { verifyFile } from "../../../src/record/verify.ts";
import { openSessionLog, RecordFailure } from "../../../src/session/session-log.ts";
import { makeSessionId, teamName } from "../../../src/units/ids.ts";
import { archiveOf } from "../../support/archive-in-memory.ts";
import { bodies } from "../../support/records.ts";

const MIDNIGHT = Date.parse("2026-01-06T00:00:00Z");

/**
 * A log whose file takes each line but those that `fails` names by their number.
 * @param startedAt when the session arrived; its first record is written 5 ms later
 */
function open(
  startedAt: number,
  { fails = [] as readonly number[], onFailure = "continue" as "continue" | "refuse" } = {},
) {
  const lines: string[] = [];
  const opened: number[] = [];
  const told: string[] = [];
  let now = startedAt;
  let tries = 0;
  const log = openSessionLog(
    {
      session: makeSessionId(startedAt, new Uint8Array(10)),
      machine: { host: "builder-1", boot: "b" },
      team: teamName("alpha"),
      startedAt,
      configuration: { ok: true, host: { log: { directory: "/log", journald: false, onFailure } } } as never,
    },
    {
      clock: { now: () => (now += 5), monotonic: () => 0, after: () => () => undefined },
      client: { tell: (line: string) => void told.push(line) } as never,
      records: {
        open(_directory: string, _team: string, start: number) {
          opened.push(start);
          return {
            append(line: string) {
              tries += 1;
              if (fails.includes(tries)) throw new RecordError("E_LOG_WRITE", "EIO (write)");
              lines.push(line);
            },
            close: () => undefined,
          };
        },
      } as never,
    },
  );
  const found = (day: string) => {
    const [file] = archiveOf({ [`alpha/${day}`]: lines.join("") }).scan().files;
    return [...verifyFile(file!, () => false, { sessions: 0, records: 0, running: 0 })].map(({ kind }) => kind);
  };
  const events = () => lines.map((line): SessionRecord => JSON.parse(line)).map(({ event, seq }) => `${seq} ${event}`);
  return { log, opened, told, lines, found, events };
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

test("behind a record that could not be written the file has a gap and the session's own end", () => {
  const { log, told, events, found } = open(MIDNIGHT, { fails: [2] });
  for (const body of [start, run, ran, end]) log.write(body!);
  expect(told).toHaveLength(1);
  expect(events()).toEqual(["0 session.start", "2 command.end", "3 session.end"]);
  expect(found("2026-01-06")).toEqual(["missing"]);
});

test('by on_failure = "refuse" the first one that cannot be written is thrown, and the others are tried', () => {
  const { log, events } = open(MIDNIGHT, { fails: [2, 3], onFailure: "refuse" });
  log.write(start!);
  expect(() => log.write(run!)).toThrow(RecordFailure);
  expect(() => log.write(ran!)).not.toThrow();
  log.write(end!);
  expect(events()).toEqual(["0 session.start", "3 session.end"]);
});
