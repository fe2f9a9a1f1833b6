import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import type { Archive, ArchiveProblem, DayFile } from "../../src/archive/archive.ts";
import { findSessions, linesOf } from "../../src/archive/find.ts";
import { openKept } from "../../src/archive/index/kept-index.ts";
import { summariseFile } from "../../src/archive/sessions/summarise.ts";
import { type Summary, summaryOf } from "../../src/archive/sessions/summary.ts";
import { RecordError } from "../../src/record/error.ts";
import { openArchive } from "../../src/system/archive/archive.ts";
import { indexFolder } from "../../src/system/archive/index-folder.ts";
import { writeLargeArchive } from "../support/large-archive.ts";
import { bodies, sessionLines } from "../support/records.ts";
import { temporaryFolder } from "../support/temporary.ts";

/** So long after its last change a file is one that a reader dares to keep something of. */
const SETTLED_MS = 1050;
/** More than a tick of the clock that a file's times are taken from: 10 ms where the kernel is slowest (CONFIG_HZ). */
const TICK_MS = 20;
/** From here on, up to the end of the test, all that was written is settled. */
async function settle(): Promise<void> {
  await setTimeout(TICK_MS);
  vi.setSystemTime(vi.getRealSystemTime() + SETTLED_MS);
}
afterEach(() => void vi.useRealTimers());

let cache: string;
let directory: string;
beforeEach(() => {
  cache = temporaryFolder("cache");
  process.env["XDG_CACHE_HOME"] = cache;
  directory = temporaryFolder("records");
});

const DAY = "alpha/2026-01-05.jsonl";
const path = () => join(directory, DAY);
function put(text: string): void {
  mkdirSync(join(directory, "alpha"), { recursive: true });
  writeFileSync(path(), text);
}
const indexed = () => openArchive(directory, indexFolder(directory));
/** The files of the index, wherever they lie below the cache. */
const kept = () =>
  readdirSync(cache, { recursive: true, encoding: "utf8" }).filter((name) => statSync(join(cache, name)).isFile());

function read(archive: Archive): { sessions: Summary[]; problems: ArchiveProblem[] } {
  const problems: ArchiveProblem[] = [];
  const sessions = archive.scan().files.flatMap((file) =>
    [
      ...summariseFile(
        file,
        ({ pid }) => pid === 1,
        (problem) => problems.push(problem),
      ),
    ].map(summaryOf),
  );
  return { sessions, problems };
}
const isKept = (archive = indexed()) => {
  const files = archive.scan().files.map((file) => openKept(file));
  for (const one of files) one?.close();
  return files.length > 0 && files.every((one) => one !== undefined);
};
async function build(): Promise<void> {
  await settle();
  read(indexed());
  expect(isKept()).toBe(true);
}

const text = [
  ...sessionLines("2026-01-05T03:12:00Z").lines,
  ...sessionLines("2026-01-05T03:13:00Z", [bodies.start, bodies.refuse, { ...bodies.end, exit: 75 }]).lines,
  ...sessionLines("2026-01-05T03:14:00Z", [{ ...bodies.start, pid: 1 }, bodies.run]).lines,
  ...sessionLines("2026-01-05T03:15:00Z", [bodies.start]).lines,
  ...sessionLines("2026-01-05T03:16:00Z", [bodies.deny, bodies.ran, { ...bodies.ran, usage: {} }]).lines,
  ...sessionLines("2026-01-05T03:17:00Z", [{ ...bodies.start, member: "\u001b[2Jé\u202e", key: undefined }, bodies.end])
    .lines,
].join("");

test("sessions out of the index are those of the files, field by field, and so is what was damaged", async () => {
  put(`{"torn\n${text}{"other":1}\n`);
  const direct = read(openArchive(directory));
  expect(direct.sessions.map(({ state }) => state)).toEqual(["ended", "ended", "ended", "running", "lost", "lost"]);
  expect(direct.problems).toHaveLength(2);
  await build();
  const again = read(indexed());
  expect(again).toEqual(direct);
  expect(JSON.stringify(again)).toBe(JSON.stringify(direct));
});

test("a large archive reads alike with and without an index, whatever window is asked for", async () => {
  writeLargeArchive(directory, 9000, [28, 29]);
  await build();
  expect(read(indexed())).toEqual(read(openArchive(directory)));
  const file = indexed()
    .scan()
    .files.find(({ team }) => team === "alpha") as DayFile;
  const all = [
    ...summariseFile(
      file,
      () => false,
      () => undefined,
    ),
  ].map(summaryOf);
  const since = Date.parse(all[50]?.end ?? "");
  const window = { since, until: since + 1000 };
  const inWindow = [
    ...summariseFile(
      file,
      () => false,
      () => undefined,
      window,
    ),
  ].map(summaryOf);
  const wanted = all.filter(({ start, end = "" }) => Date.parse(start) <= window.until && Date.parse(end) >= since);
  expect(wanted.length).toBeGreaterThan(0);
  expect(inWindow).toEqual(expect.arrayContaining(wanted));
});

/** In whole seconds: Node sets no others exactly. */
const LONG_AGO = 1_700_000_000;
const changed = text.replace("rm -rf /", "ls -la /");
test.each<[string, () => void]>([
  ["grew", () => appendFileSync(path(), sessionLines("2026-01-05T05:00:00Z").lines.join(""))],
  ["was cut", () => truncateSync(path(), text.length - 100)],
  [
    "was changed in the middle, its size and mtime as before",
    () => {
      writeFileSync(path(), changed);
      utimesSync(path(), LONG_AGO, LONG_AGO);
    },
  ],
  [
    "was exchanged for another of the same size and mtime",
    () => {
      writeFileSync(`${path()}.new`, changed);
      utimesSync(`${path()}.new`, LONG_AGO, LONG_AGO);
      renameSync(`${path()}.new`, path());
    },
  ],
])("a file that %s is read anew", async (_, change) => {
  put(text);
  utimesSync(path(), LONG_AGO, LONG_AGO);
  await build();
  change();
  expect(isKept()).toBe(false);
  expect(read(indexed())).toEqual(read(openArchive(directory)));
  await build();
  expect(read(indexed())).toEqual(read(openArchive(directory)));
});

test("a file that has only just changed is not kept, since a change in the same tick would not show", () => {
  put(text);
  read(indexed());
  expect(kept()).toEqual([]);
});

test("a file that changes while it is read is not kept", async () => {
  put(text);
  await settle();
  const [file] = indexed().scan().files as [DayFile];
  const sessions = summariseFile(
    file,
    () => false,
    () => undefined,
  );
  sessions.next();
  appendFileSync(path(), sessionLines("2026-01-05T05:00:00Z").lines.join(""));
  expect([...sessions].length).toBeGreaterThan(0);
  expect(kept()).toEqual([]);
});

test("a file that could be read only in part is not kept", async () => {
  put(text);
  await settle();
  const [file] = indexed().scan().files as [DayFile];
  function* failing() {
    for (const line of file.lines()) {
      if (line.number > 6) throw new RecordError("E_LOG_READ", "EIO");
      yield line;
    }
  }
  const problems: ArchiveProblem[] = [];
  const seen = [
    ...summariseFile(
      { ...file, lines: failing },
      () => false,
      (problem) => problems.push(problem),
    ),
  ];
  expect([seen.length, problems.map(({ what }) => what)]).toEqual([2, ["EIO"]]);
  expect(kept()).toEqual([]);
});

test("a session under which the clock was set back is in the window of its start", async () => {
  const back = sessionLines("2026-01-05T23:00:00Z", [bodies.start, bodies.end], {}, [0, -72_000]);
  put(back.lines.join(""));
  await build();
  const [file] = indexed().scan().files as [DayFile];
  const ended = () => false;
  const window = { since: Date.parse("2026-01-05T22:00:00Z") };
  const seen = [...summariseFile(file, ended, () => undefined, window)];
  expect(seen.map(({ session }) => session)).toEqual([back.session]);
});

test("a session without an end is in every window behind its start", async () => {
  put(text);
  await build();
  const [file] = indexed().scan().files as [DayFile];
  const window = { since: Date.parse("2026-03-01T00:00:00Z") };
  const seen = [
    ...summariseFile(
      file,
      ({ pid }) => pid === 1,
      () => undefined,
      window,
    ),
  ];
  expect(seen.map(({ state }) => state)).toContain("running");
  expect([
    ...summariseFile(
      file,
      () => true,
      () => undefined,
      { until: Date.parse("2026-01-04T00:00:00Z") },
    ),
  ]).toEqual([]);
});

test("an index with any byte changed, or its end cut off, gives nothing else than the files do", async () => {
  put(text);
  await build();
  const [name = ""] = kept();
  const sound = readFileSync(join(cache, name));
  const direct = read(openArchive(directory));
  for (let at = 0; at < sound.length; at += 13) {
    const damaged = Buffer.from(sound);
    damaged[at] = (damaged[at] ?? 0) ^ 0x41;
    writeFileSync(join(cache, name), damaged);
    expect(read(indexed())).toEqual(direct);
    writeFileSync(join(cache, name), sound.subarray(0, at));
    expect(read(indexed())).toEqual(direct);
  }
});

test("an index that is damaged behind its first block gives each session once", async () => {
  writeLargeArchive(directory, 9000 * 30, [29]);
  rmSync(join(directory, "beta"), { recursive: true });
  await build();
  const name = kept().find((path) => path.includes("alpha")) ?? "";
  const bytes = readFileSync(join(cache, name));
  const at = Math.floor(bytes.length * 0.8);
  bytes[at] = (bytes[at] ?? 0) ^ 1;
  writeFileSync(join(cache, name), bytes);
  expect(read(indexed())).toEqual(read(openArchive(directory)));
});

test.each<[string, () => void]>([
  ["belongs to others as well", () => chmodSync(cache, 0o777)],
  [
    "is a link",
    () => {
      rmSync(cache, { recursive: true });
      symlinkSync(temporaryFolder("elsewhere"), cache);
    },
  ],
  [
    "is no folder",
    () => {
      rmSync(cache, { recursive: true });
      writeFileSync(cache, "");
    },
  ],
])("nothing is kept where the cache folder %s, and all is read", async (_, spoil) => {
  put(text);
  spoil();
  await settle();
  expect(read(indexed())).toEqual(read(openArchive(directory)));
  expect(isKept()).toBe(false);
});

test("an index that others could have written is not believed", async () => {
  put(text);
  await build();
  chmodSync(join(cache, kept()[0] ?? ""), 0o666);
  expect(isKept()).toBe(false);
});

test("folders and files of the index are the reader's alone", async () => {
  put(text);
  await build();
  const modes = readdirSync(cache, { recursive: true, encoding: "utf8" }).map(
    (name) => statSync(join(cache, name)).mode,
  );
  expect(modes.length).toBeGreaterThan(2);
  expect(modes.filter((mode) => (mode & 0o077) !== 0)).toEqual([]);
});

test("the cache of a day is removed with its records", async () => {
  put(text);
  await build();
  rmSync(path());
  indexed().scan();
  expect(kept()).toEqual([]);
});

test("a reader without a cache folder makes none", () => {
  put(text);
  const { files } = indexed().scan();
  expect(findSessions(files, read(openArchive(directory)).sessions[0]?.session ?? "", () => undefined)).toHaveLength(1);
  expect(readdirSync(cache)).toEqual([]);
});

test("a session is found through the index with all its lines, the same as without", async () => {
  writeLargeArchive(directory, 900, [29]);
  const file = (archive: Archive) => archive.scan().files;
  const ids = read(openArchive(directory)).sessions.map(({ session }) => session);
  await build();
  const bytes = (archive: Archive, part: string) =>
    findSessions(file(archive), part, () => undefined).map((located) => ({
      session: located.session,
      lines: linesOf(located).map(({ number, bytes }) => [number, Buffer.from(bytes).toString()]),
    }));
  const part = (archive: Archive) => findSessions(file(archive), ids[0] ?? "", () => undefined)[0]?.part;
  expect(part(openArchive(directory))).toBeUndefined();
  const { from = 0, to = 0 } = part(indexed()) ?? {};
  expect(to - from).toBeGreaterThan(1000);
  expect(to - from).toBeLessThan(statSync(join(directory, "alpha/2026-11-24.jsonl")).size / 2);
  for (const id of [ids[0], ids[10], ids.at(-1)] as string[]) {
    expect(bytes(indexed(), id)).toEqual(bytes(openArchive(directory), id));
    expect(bytes(indexed(), id.slice(-9))).toEqual(bytes(openArchive(directory), id.slice(-9)));
    expect(bytes(indexed(), id)[0]?.lines.length).toBeGreaterThanOrEqual(3);
  }
});

test("a session's lines behind its end and its damaged lines are found through the index too", async () => {
  const { session, lines } = sessionLines("2026-01-05T03:12:00Z");
  const other = sessionLines("2026-01-05T03:12:30Z").lines;
  put([...lines, ...other, lines[2]].join(""));
  await build();
  const numbers = () => {
    const [located] = findSessions(indexed().scan().files, session, () => undefined);
    return located && linesOf(located).map(({ number }) => number);
  };
  expect(numbers()).toEqual([1, 2, 3, 4, 5, 11]);
  put([...lines, ...other, `${lines[2]?.slice(0, 200)}\n`].join(""));
  await build();
  expect(numbers()).toEqual([1, 2, 3, 4, 5, 11]);
});

test.each([
  ["another account's", () => chownSync(path(), 65_534, 65_534)],
  ["writable for a group", () => chmodSync(path(), 0o660)],
])("nothing is kept of a file that is %s: its owner can change it without a trace", async (_, give) => {
  put(text);
  give();
  await settle();
  const { sessions } = read(indexed());
  expect(sessions).toHaveLength(6);
  expect(kept()).toEqual([]);
});

test("the cache of a file is not used after another account became its owner", async () => {
  put(text);
  await build();
  chmodSync(path(), 0o666);
  expect(isKept()).toBe(false);
  await settle();
  read(indexed());
  expect(isKept()).toBe(false); // nor is it kept anew
});
