import { createHash } from "node:crypto";
import { expect, test } from "vitest";
import type { DayFile } from "../../src/archive/archive.ts";
import { findSessions } from "../../src/archive/find.ts";
import { closing, unendedIn } from "../../src/archive/lost/unended.ts";
import { decodeAdded } from "../../src/archive/misplaced.ts";
import { openSessions } from "../../src/archive/sessions/open-sessions.ts";
import { summariseFile } from "../../src/archive/sessions/summarise.ts";
import { wholeSessions } from "../../src/archive/sessions/whole-sessions.ts";
import { tallyFiles } from "../../src/archive/statistics/team-counters.ts";
import { verifyFile } from "../../src/archive/verify/verify.ts";
import { RecordError } from "../../src/record/error.ts";
import { ecsEvents } from "../../src/report/exports/ecs.ts";
import { openArchive } from "../../src/system/archive/archive.ts";
import { growthOf } from "../../src/system/archive/growth.ts";
import { createDigester } from "../../src/system/archive/measure.ts";
import type { SessionId } from "../../src/units/ids.ts";
import { bodies, sessionLines } from "../support/records.ts";
import { writeArchive } from "../support/temporary.ts";

const DAY = "2026-01-05";
const START = `${DAY}T03:12:00Z`;
const SMALL_BYTES = 100_000;
/** So many times the input may take twice as many times as long: noise, but no square. */
const TIMES = 16;
/** Milliseconds that no measurement is more exact than. */
const NOISE_MS = 20;

const none = () => undefined;
const dead = () => false;

/** A sound line with more fields in it, and with the hash that belongs to it. */
function lineWith(more: string): string {
  const [line = ""] = sessionLines(START).lines;
  const [at, end] = [line.indexOf(',"prev":"'), line.indexOf(',"hash"')];
  const covered = line.slice(0, at) + more + line.slice(at, end);
  return `${covered},"hash":"${createHash("sha256").update(covered).digest("hex")}"}\n`;
}
/** So many whole texts as have this size. */
function filled(bytes: number, make: (at: number) => string): string {
  const parts: string[] = [];
  for (let [at, size] = [0, 0]; size < bytes; at += 1) {
    const part = make(at);
    parts.push(part);
    size += part.length;
  }
  return parts.join("");
}
const one = sessionLines(START);
const keys = (many: number) => Array.from({ length: many }, (_, at) => `,"k${at}":1`).join("");
const open = (at: number) => sessionLines(Date.parse(START) + at, [bodies.start]).lines[0] ?? "";
const starts = Array.from({ length: 8000 }, (_, at) =>
  sessionLines(Date.parse(START) + at, [bodies.start, bodies.end]),
);

/** Files that an account can write, by their size in bytes. */
const CRAFTED: Readonly<Record<string, (bytes: number) => string>> = {
  "one line without an end": (bytes) => "x".repeat(bytes),
  "empty lines": (bytes) => "\n".repeat(bytes),
  "lines of one byte": (bytes) => "x\n".repeat(bytes / 2),
  "deep JSON": (bytes) => filled(bytes, () => `${"[".repeat(50_000)}\n`),
  "deep JSON in a record": (bytes) => filled(bytes, () => lineWith(`,"x":${"[".repeat(900)}${"]".repeat(900)}`)),
  "long numbers": (bytes) => filled(bytes, () => lineWith(`,"x":${"1".repeat(50_000)}`)),
  "the same key again and again": (bytes) => filled(bytes, () => lineWith(',"x":1'.repeat(8000))),
  "many keys": (bytes) => filled(bytes, () => lineWith(keys(5000))),
  escapes: (bytes) => filled(bytes, () => lineWith(`,"x":"${"\\u0041".repeat(8000)}"`)),
  "the same session again and again": (bytes) => filled(bytes, () => one.lines.join("")),
  "the same record again and again": (bytes) => filled(bytes, () => one.lines[2] ?? ""),
  "ends of sessions that nobody began": (bytes) => filled(bytes, (at) => starts[at % starts.length]?.lines[1] ?? ""),
  "sessions without an end": (bytes) => filled(bytes, open),
  "one session with many commands": (bytes) => {
    const many = Math.ceil(bytes / (one.lines[2]?.length ?? 1));
    return sessionLines(START, [
      bodies.start,
      ...Array.from({ length: many }, (_, n) => ({ ...bodies.run, n })),
    ]).lines.join("");
  },
  "one session that begins again and again": (bytes) => {
    const session = one.session as SessionId;
    return filled(bytes, () => sessionLines(START, [bodies.start], { session }).lines[0] ?? "");
  },
  "all starts, then all ends": (bytes) => {
    const some = starts.slice(0, Math.ceil(bytes / 1100));
    return [0, 1].map((at) => some.map(({ lines }) => lines[at]).join("")).join("");
  },
};

/** The readers of root's. */
const READERS: Readonly<Record<string, (file: DayFile, log: string) => void>> = {
  verify: (file) => void [...verifyFile(file, dead, { sessions: 0, records: 0, running: 0 })],
  list: (file) => void [...summariseFile(file, dead, none)],
  export: (file) => {
    for (const session of wholeSessions(file, dead, none)) JSON.stringify(ecsEvents(session));
  },
  prometheus: (file) => void tallyFiles([file], dead, { since: "", byHost: true }, none),
  recover: (file) => {
    for (const lost of unendedIn(file)) closing(lost, Date.parse("2026-01-06"), new Map());
  },
  show: (file) => void findSessions([file], "ffffffffffff", none),
  top: (_, log) => {
    const sessions = openSessions();
    for (const line of growthOf(openArchive(log)).lines(DAY, none)) sessions.take(line);
    for (const { team, start } of sessions.all()) decodeAdded({ team, text: start });
  },
  seal: (file, log) => void createDigester(log)(file, [1000, 100_000]),
};

/** The kernel knows the sum exactly; how much of it was user time it guesses at each tick. */
const used = () => {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
};

/** The least of three, in milliseconds of this process's own: other programs do not count. */
function costOf(read: () => void): number {
  const costs = [0, 1, 2].map(() => {
    const before = used();
    try {
      read();
    } catch (error) {
      if (!(error instanceof RecordError)) throw error; // a bound
    }
    return used() - before;
  });
  return Math.min(...costs);
}

test.each(Object.keys(CRAFTED))(
  "%s: no reader takes more time than in proportion",
  (name) => {
    const costs = [SMALL_BYTES, SMALL_BYTES * TIMES].map((bytes) => {
      const log = writeArchive({ [`alpha/${DAY}`]: CRAFTED[name]?.(bytes) ?? "" });
      const [file] = openArchive(log).scan().files;
      return Object.entries(READERS).map(([reader, read]) => [reader, costOf(() => read(file!, log))] as const);
    });
    const [small = [], large = []] = costs;
    const shown = large.map(([reader, most], at) => ({ reader, least: small[at]?.[1] ?? 0, most }));
    expect(shown.filter(({ least, most }) => most > 2 * TIMES * least + NOISE_MS)).toEqual([]);
  },
  120_000,
);
