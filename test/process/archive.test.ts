import {
  appendFileSync,
  closeSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { expect, test } from "vitest";
import { summariseFile } from "../../src/archive/sessions/summarise.ts";
import { LINE_MAX_BYTES } from "../../src/record/chain.ts";
import { openArchive } from "../../src/system/archive/archive.ts";
import { readLines } from "../../src/system/archive/line-reader.ts";
import { machineId } from "../../src/system/kernel/machine.ts";
import { startTicks } from "../../src/system/kernel/process-group.ts";
import { livenessHere } from "../../src/system/lost/liveness.ts";
import { toFd } from "../../src/units/ids.ts";
import { sessionLines } from "../support/records.ts";
import { writeArchive } from "../support/temporary.ts";

const session = sessionLines("2026-01-05T03:12:00Z");
const text = session.lines.join("");

/** A line's bytes are valid until the next one is asked for, so each is copied as it comes. */
function collect(path: string, pause: () => void = () => undefined): [number, string][] {
  const file = toFd(openSync(path, "r"));
  const lines: [number, string][] = [];
  for (const { number, bytes, tooLong } of readLines(file, pause))
    lines.push([number, tooLong ? "too long" : Buffer.from(bytes).toString()]);
  closeSync(file);
  return lines;
}

const linesOf = (content: string) =>
  collect(join(writeArchive({ "alpha/2026-01-05": content }), "alpha/2026-01-05.jsonl"));

test.each([
  ["nothing", "", []],
  [
    "lines",
    "a\nbc\n",
    [
      [1, "a"],
      [2, "bc"],
    ],
  ],
  [
    "empty lines, which count but are not given",
    "a\n\n\nb\n",
    [
      [1, "a"],
      [4, "b"],
    ],
  ],
  [
    "a tail without LF",
    "a\nb",
    [
      [1, "a"],
      [2, "b"],
    ],
  ],
  [
    "NUL bytes, as a crash leaves them",
    "\0\0\na\n",
    [
      [1, "\0\0"],
      [2, "a"],
    ],
  ],
])("a file of %s", (_, content, expected) => expect(linesOf(content)).toEqual(expected));

test.each([262_143, 262_144, 262_145, 500_000, LINE_MAX_BYTES - 1])(
  "a line of %i bytes is given whole, and so is the next",
  (size) => {
    const long = "x".repeat(size);
    const lines = linesOf(`a\n${long}\nb\n`);
    expect(lines.map(([number]) => number)).toEqual([1, 2, 3]);
    expect(lines[1]?.[1] === long).toBe(true);
    expect(lines[2]).toEqual([3, "b"]);
  },
);

test.each([LINE_MAX_BYTES, 3 * LINE_MAX_BYTES + 7])(
  "a line of %i bytes is said to be too long, and the next is given",
  (size) => {
    expect(linesOf(`a\n${"x".repeat(size)}\nb\n`)).toEqual([
      [1, "a"],
      [2, "too long"],
      [3, "b"],
    ]);
    expect(linesOf(`a\n${"x".repeat(size)}`)).toEqual([
      [1, "a"],
      [2, "too long"],
    ]);
  },
);

test("a line that is being written while it is read is waited for", () => {
  const path = join(writeArchive({ "alpha/2026-01-05": "a\n{half" }), "alpha/2026-01-05.jsonl");
  const lines = collect(path, () => appendFileSync(path, " and half}\n"));
  expect(lines.slice(0, 2)).toEqual([
    [1, "a"],
    [2, "{half and half}"],
  ]);
});

test("files come newest day first, then by team; dot files are nobody's business", () => {
  const directory = writeArchive({
    "alpha/2026-01-05": "",
    "beta/2026-01-06": "",
    "alpha/2026-01-06": "",
    "_unassigned/2026-01-05": "",
    "alpha/.x": "",
  });
  const { files, problems } = openArchive(directory).scan();
  expect(files.map(({ day, team }) => `${day} ${team}`)).toEqual([
    "2026-01-06 alpha",
    "2026-01-06 beta",
    "2026-01-05 _unassigned",
    "2026-01-05 alpha",
  ]);
  expect(problems).toEqual([]);
});

test("a foreign entry of an archive is reported, and no link is followed", () => {
  const directory = writeArchive({ "alpha/2026-01-05": text, "alpha/notes": "" });
  symlinkSync(join(directory, "alpha"), join(directory, "beta"));
  symlinkSync(join(directory, "alpha/2026-01-05.jsonl"), join(directory, "alpha/2026-01-06.jsonl"));
  mkdirSync(join(directory, "Lost"));
  mkdirSync(join(directory, "lost+found")); // where the directory is a file system of its own
  mkdirSync(join(directory, "alpha/2026-01-07.jsonl"));
  const { files, problems } = openArchive(directory).scan();
  expect(problems.map(({ path, what }) => `${path.slice(directory.length)}: ${what}`).sort()).toEqual([
    "/Lost: not a team's folder",
    "/alpha/notes.jsonl: not a day's file",
    "/beta: a link, or another kind of file: not read",
  ]);
  const said: string[] = [];
  const seen = files.flatMap((file) => [
    ...summariseFile(
      file,
      () => false,
      ({ what }) => said.push(what),
    ),
  ]);
  expect(seen.map((summary) => summary.session)).toEqual([session.session]);
  expect(said.map((what) => what.slice(directory.length))).toEqual([
    "/alpha/2026-01-07.jsonl: cannot be read: not a regular file",
    "/alpha/2026-01-06.jsonl: a link, or another kind of file: not read",
  ]);
});

test("a directory that does not exist is an error that names it", () => {
  expect(() => openArchive("/nowhere/nixgate").scan()).toThrow(
    expect.objectContaining({
      code: "E_LOG_READ",
      exitStatus: 74,
      message: expect.stringContaining("/nowhere/nixgate"),
    }),
  );
});

test("a file that vanishes while the archive is read is reported", () => {
  const directory = writeArchive({ "alpha/2026-01-05": text });
  const { files } = openArchive(directory).scan();
  unlinkSync(join(directory, "alpha/2026-01-05.jsonl"));
  const said: string[] = [];
  for (const file of files)
    expect([
      ...summariseFile(
        file,
        () => false,
        ({ what }) => said.push(what),
      ),
    ]).toEqual([]);
  expect(said).toEqual([expect.stringContaining("ENOENT")]);
});

test("reading takes no more memory for a large file than for a small one", () => {
  const directory = writeArchive({ "alpha/2026-01-05": "" });
  for (let count = 0; count < 40; count += 1)
    appendFileSync(
      join(directory, "alpha/2026-01-05.jsonl"),
      Array.from({ length: 500 }, () => sessionLines("2026-01-05T03:12:00Z").lines.join("")).join(""),
    );
  const [file] = openArchive(directory).scan().files;
  const before = process.memoryUsage.rss();
  let sessions = 0;
  for (const _ of summariseFile(
    file!,
    () => false,
    () => undefined,
  ))
    sessions += 1;
  expect(sessions).toBe(20_000);
  expect(process.memoryUsage.rss() - before).toBeLessThan(100 * 1024 * 1024);
});

const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
const start = {
  ...{ host: hostname(), boot, pid: process.pid, time: new Date().toISOString() },
  ...{ started_ticks: startTicks("self"), machine: machineId() },
};
const NOBODY = 2 ** 22 - 3;
const OTHER_BOOT = "00000000-0000-4000-8000-000000000000";
const { started_ticks: _, ...withoutTicks } = start;

test.each([
  ["this process", start, true],
  ["a boot id without dashes", { ...start, boot: boot.replaceAll("-", "") }, true],
  ["a process that does not exist", { ...start, pid: NOBODY }, false],
  ["a process whose clock was set forward since", { ...start, time: "1970-01-01T00:00:10.000Z" }, true],
  ["a process whose clock was set back since", { ...start, time: "2099-01-01T00:00:00.000Z" }, true],
  ["a process that has only inherited the number", { ...start, started_ticks: 1 }, false],
  ["an older record, with the number of a stranger", withoutTicks, false],
  ["another boot", { ...start, boot: OTHER_BOOT }, false],
  ["this boot, before the host got another name", { ...start, host: "localhost" }, true],
  ["the same, and its process is gone", { ...start, host: "localhost", pid: NOBODY }, false],
  ["another boot, before the host got another name", { ...start, host: "localhost", boot: OTHER_BOOT }, false],
  [
    "another host, which cannot be seen from here",
    { ...withoutTicks, host: "elsewhere", boot: OTHER_BOOT, machine: "" },
    true,
  ],
  ["no process at all", { ...start, pid: 0 }, false],
])("%s: alive or not", (_, record, expected) => expect(livenessHere()(record)).toBe(expected));

test("a file of another's making is read as far as it goes", () => {
  const directory = writeArchive({});
  mkdirSync(join(directory, "alpha"));
  writeFileSync(
    join(directory, "alpha/2026-01-05.jsonl"),
    Buffer.concat([Buffer.from([0xff, 0xfe, 0x0a]), Buffer.from(text)]),
  );
  const said: string[] = [];
  const [file] = openArchive(directory).scan().files;
  const seen = [
    ...summariseFile(
      file!,
      () => false,
      ({ path }) => said.push(path),
    ),
  ];
  expect(seen.map((summary) => summary.state)).toEqual(["ended"]);
  expect(said).toEqual([expect.stringMatching(/2026-01-05\.jsonl:1$/)]);
});
