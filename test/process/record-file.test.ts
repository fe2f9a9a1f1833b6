import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  chmodSync,
  chownSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  unlinkSync,
  writeFileSync,
} from "node:fs";
import { basename, join } from "node:path";
import { buildSync } from "esbuild";
import { beforeAll, describe, expect, test } from "vitest";
import type { Finding } from "../../src/archive/finding.ts";
import { verifyFile } from "../../src/archive/verify/verify.ts";
import type { RecordError } from "../../src/record/error.ts";
import { openArchive } from "../../src/system/archive/archive.ts";
import { openRecordFile } from "../../src/system/archive/record-file.ts";
import { sessionLines } from "../support/records.ts";
import { temporaryFolder, writeArchive } from "../support/temporary.ts";

/** One file: 200 processes that each strip the types of twelve would take most of a minute. */
const PROGRAM = join(temporaryFolder("writer"), "write-session.mjs");
beforeAll(() => {
  const entryPoints = ["test/fixtures/programs/write-session.ts"];
  buildSync({ entryPoints, bundle: true, platform: "node", format: "esm", outfile: PROGRAM });
});
const START = "2026-01-05T23:59:59Z";
const time = Date.parse(START);
const isRoot = process.geteuid?.() === 0;
const canMount = isRoot && spawnSync("unshare", ["-m", "true"]).status === 0;

const canTrace = spawnSync("strace", ["true"]).status === 0;

function verify(directory: string): { findings: Finding[]; sessions: number; records: number } {
  const count = { sessions: 0, records: 0, running: 0 };
  const findings = openArchive(directory)
    .scan()
    .files.flatMap((file) => [...verifyFile(file, () => false, count)]);
  return { findings, ...count };
}

function failure(act: () => unknown): RecordError {
  try {
    act();
  } catch (error) {
    return error as RecordError;
  }
  throw new Error("nothing was refused");
}

const day = (directory: string) => join(directory, "alpha/2026-01-05.jsonl");

describe("writing", () => {
  test("200 processes at once lose and tear nothing", { timeout: 120_000 }, async () => {
    const directory = writeArchive({});
    const children = Array.from({ length: 200 }, () =>
      spawn(process.execPath, ["--max-old-space-size=32", PROGRAM, directory, "alpha", START, "5"], {
        stdio: ["pipe", "ignore", "pipe"],
      }),
    );
    const errors: string[] = [];
    for (const child of children) child.stderr.on("data", (text) => errors.push(String(text)));
    const ends = children.map((child) => once(child, "close"));
    for (const child of children) child.stdin.end();
    expect((await Promise.all(ends)).map(([status]) => status)).toEqual(children.map(() => 0));
    expect(errors).toEqual([]);
    expect(verify(directory)).toMatchObject({ findings: [], sessions: 1000, records: 5000 });
  });

  test("kill -9 at any moment leaves an archive that is read, and written on", { timeout: 60_000 }, async () => {
    const directory = writeArchive({});
    const children = Array.from({ length: 8 }, () => {
      const words = [PROGRAM, directory, "alpha", START, "1000000"];
      return spawn(process.execPath, words, { stdio: ["ignore", "ignore", "inherit"] });
    });
    const ends = children.map((child) => once(child, "close"));
    while (!existsSync(day(directory)) || statSync(day(directory)).size < 1_000_000)
      await new Promise((resolve) => setTimeout(resolve, 5));
    for (const child of children) child.kill("SIGKILL");
    await Promise.all(ends);
    const file = openRecordFile(directory, "alpha", time);
    for (const line of sessionLines(START).lines) file.append(line);
    const { findings, sessions } = verify(directory);
    expect(sessions).toBeGreaterThan(100);
    expect(findings.filter(({ kind }) => kind !== "unended" && kind !== "torn")).toEqual([]);
    expect(findings.length).toBeLessThanOrEqual(2 * children.length);
  });

  test("the team's folder is 0750 and the file 0640, whatever the umask", () => {
    const directory = writeArchive({});
    const before = process.umask(0o077);
    try {
      openRecordFile(directory, "alpha", time).close();
    } finally {
      process.umask(before);
    }
    expect(statSync(join(directory, "alpha")).mode & 0o777).toBe(0o750);
    expect(statSync(day(directory)).mode & 0o777).toBe(0o640);
  });

  test("the UTC day of the start names the file, and it stays that file", () => {
    const directory = writeArchive({});
    expect(openRecordFile(directory, "alpha", time).path).toBe(day(directory));
  });

  test("a line torn by a crash stays alone, and the next session is whole", () => {
    const directory = writeArchive({ "alpha/2026-01-05": '{"v":1,"time":"2026-01-05T' });
    const file = openRecordFile(directory, "alpha", time);
    const { lines } = sessionLines(START);
    for (const line of lines) file.append(line, { durable: true });
    expect(readFileSync(day(directory), "utf8")).toBe(`{"v":1,"time":"2026-01-05T\n${lines.join("")}`);
    expect(verify(directory).findings.map(({ kind, line }) => [kind, line])).toEqual([["torn", 1]]);
  });

  test("a write that is cut short is a failure, by how much (a file size limit stands for a full disk)", () => {
    const directory = writeArchive({});
    const script = 'ulimit -f 1; "$1" "$2" "$3" alpha "$4" 1 </dev/null';
    const words = ["sh", process.execPath, PROGRAM, directory, START];
    const { status, stderr } = spawnSync("sh", ["-c", script, ...words], { encoding: "utf8" });
    expect(stderr).toMatch(/^E_LOG_WRITE 74 .*: only 512 of \d+ bytes were written/);
    expect(status).toBe(74);
  });

  test.skipIf(!canTrace)("durable is on disk: fdatasync for each line, fsync for the new names (needs strace)", () => {
    const directory = writeArchive({});
    const trace = (...how: string[]) => {
      const words = [process.execPath, PROGRAM, directory, "alpha", START, "1", ...how];
      const { stderr } = spawnSync("strace", ["-f", "-e", "trace=fsync,fdatasync", ...words], {
        encoding: "utf8",
        input: "",
      });
      return [...stderr.matchAll(/(fsync|fdatasync)\(\d+/g)].map(([, call]) => call);
    };
    expect(trace("durable")).toEqual(["fsync", "fsync", ...Array(5).fill("fdatasync")]);
    expect(trace()).toEqual([]);
    expect(trace("patient")).toEqual(Array(5).fill("fdatasync"));
  });

  test.skipIf(!canTrace)("a failed fdatasync in a thread is reported when it is known (needs strace)", () => {
    const directory = writeArchive({});
    const inject = ["-f", "-qq", "-o", "/dev/null", "-e", "inject=fdatasync:error=EIO"];
    const words = [process.execPath, PROGRAM, directory, "alpha", START, "1", "patient"];
    const { status, stderr } = spawnSync("strace", [...inject, ...words], { encoding: "utf8", input: "" });
    expect(stderr).toMatch(/^(?:E_LOG_WRITE 74 .*: a record could not be written: EIO \(fdatasync\)\n){5}$/);
    expect(status).toBe(74);
    expect(readFileSync(day(directory), "utf8").split("\n")).toHaveLength(6);
  });

  test("a file that was rotated away keeps the session's records", () => {
    const directory = writeArchive({});
    const file = openRecordFile(directory, "alpha", time);
    const { lines } = sessionLines(START);
    file.append(lines[0] as string);
    renameSync(day(directory), join(directory, "alpha/2026-01-04.jsonl"));
    file.append(lines[1] as string);
    expect(readFileSync(join(directory, "alpha/2026-01-04.jsonl"), "utf8")).toBe(lines.slice(0, 2).join(""));
  });

  test("a file that was removed under the session is a failure, not a loss in silence", () => {
    const directory = writeArchive({});
    const file = openRecordFile(directory, "alpha", time);
    unlinkSync(day(directory));
    expect(failure(() => file.append("{}\n"))).toMatchObject({ code: "E_LOG_WRITE", exitStatus: 74 });
  });
});

/** What stands in the way, and the word of the message that says so. */
const hostile: readonly (readonly [string, string, (directory: string) => void])[] = [
  ["the file is a link", "ELOOP", (d) => [mkdirSync(join(d, "alpha")), symlinkSync(join(d, "elsewhere"), day(d))]],
  [
    "the file is a link to a file",
    "ELOOP",
    (d) => [writeFileSync(join(d, "real"), ""), mkdirSync(join(d, "alpha")), symlinkSync(join(d, "real"), day(d))],
  ],
  [
    "the file has a second name",
    "has 2 names",
    (d) => [writeFileSync(join(d, "real"), ""), mkdirSync(join(d, "alpha")), linkSync(join(d, "real"), day(d))],
  ],
  [
    "the team's folder is a link",
    "a link, or not a folder",
    (d) => [mkdirSync(join(d, "real")), symlinkSync(join(d, "real"), join(d, "alpha"))],
  ],
  ["the team's folder is a file", "a link, or not a folder", (d) => writeFileSync(join(d, "alpha"), "")],
  ["the file is a folder", "EISDIR", (d) => mkdirSync(day(d), { recursive: true })],
  ["the file is a pipe", "not a regular file", (d) => [mkdirSync(join(d, "alpha")), spawnSync("mkfifo", [day(d)])]],
  [
    "others can write to the file",
    "others can write",
    (d) => [mkdirSync(join(d, "alpha")), writeFileSync(day(d), ""), chmodSync(day(d), 0o666)],
  ],
  [
    "others can write to the team's folder",
    "others can write",
    (d) => [mkdirSync(join(d, "alpha")), chmodSync(join(d, "alpha"), 0o777)],
  ],
  ["a group can write to the log directory", "others can write", (d) => chmodSync(d, 0o770)],
];

describe("is refused, naming the path, when", () => {
  test.each(hostile)("%s", (_, words, prepare) => {
    const directory = writeArchive({});
    prepare(directory);
    const error = failure(() => openRecordFile(directory, "alpha", time));
    expect(error).toMatchObject({ code: "E_LOG_CREATE", exitStatus: 73, hint: expect.any(String) });
    expect(error.message).toContain(words);
    expect(error.message).toContain(directory);
  });

  test("the log directory is missing", () => {
    const error = failure(() => openRecordFile("/nowhere/nixgate", "alpha", time));
    expect(error).toMatchObject({ code: "E_LOG_CREATE", message: expect.stringContaining("ENOENT") });
  });

  test("others can write to a folder above the log directory", () => {
    const directory = writeArchive({});
    mkdirSync(join(directory, "log"));
    chmodSync(directory, 0o777);
    expect(failure(() => openRecordFile(join(directory, "log"), "alpha", time)).message).toContain("others can write");
  });

  test("a link leads to the log directory", () => {
    const directory = writeArchive({});
    mkdirSync(join(directory, "log"));
    symlinkSync("log", join(directory, "link"));
    expect(failure(() => openRecordFile(join(directory, "link"), "alpha", time)).message).toContain("a link");
  });

  test("the path steps back", () => {
    expect(failure(() => openRecordFile("/tmp/../tmp", "alpha", time)).message).toContain("not a plain absolute path");
  });
});

/** Runs the fixture in mounts of its own. */
const inMounts = (script: string) =>
  spawnSync("unshare", ["-m", "sh", "-euc", script, "sh", process.execPath, PROGRAM], { encoding: "utf8" });

describe.skipIf(!canMount)("on a file system of its own (needs root and mount namespaces)", () => {
  test("a full disk is a failure with its errno, and earlier records stay whole", () => {
    const directory = writeArchive({});
    const copy = temporaryFolder("copy");
    const { status, stderr, stdout } = inMounts(`
      mount -t tmpfs -o size=16k,mode=755 none ${directory}
      "$1" "$2" ${directory} alpha ${START} 100 durable </dev/null || echo "status $?"
      cp -r ${directory} ${copy}/`);
    expect(status).toBe(0);
    expect(stdout).toBe("status 74\n");
    expect(stderr).toMatch(/^E_LOG_WRITE 74 .*alpha\/2026-01-05\.jsonl: a record could not be written: (ENOSPC|only)/);
    const { findings, records } = verify(join(copy, basename(directory)));
    expect(records).toBeGreaterThan(3);
    expect(findings.filter(({ kind }) => kind !== "torn" && kind !== "unended")).toEqual([]);
  });

  test("a disk with no room for the file is a failure to create it", () => {
    const directory = writeArchive({});
    const { stdout, stderr } = inMounts(`
      mount -t tmpfs -o size=4k,nr_inodes=1,mode=755 none ${directory}
      "$1" "$2" ${directory} alpha ${START} 1 </dev/null || echo "status $?"`);
    expect(stdout).toBe("status 73\n");
    expect(stderr).toContain("ENOSPC");
  });

  test("a read-only folder is a failure to create", () => {
    const directory = writeArchive({});
    const { stdout, stderr } = inMounts(`
      mount -t tmpfs -o ro,mode=755 none ${directory}
      "$1" "$2" ${directory} alpha ${START} 1 </dev/null || echo "status $?"`);
    expect(stdout).toBe("status 73\n");
    expect(stderr).toContain("EROFS");
  });
});

test.skipIf(!isRoot)("a group that root lets write above the log directory is root's own choice (needs root)", () => {
  const directory = writeArchive({});
  mkdirSync(join(directory, "log"));
  chmodSync(directory, 0o775);
  openRecordFile(join(directory, "log"), "alpha", time).close();
  expect(existsSync(join(directory, "log/alpha/2026-01-05.jsonl"))).toBe(true);
});

test.skipIf(!isRoot)("the log folder's group reads what is made below it, where that bit is set (needs root)", () => {
  const directory = writeArchive({});
  const READERS = 4242;
  chownSync(directory, 0, READERS);
  chmodSync(directory, 0o2750);
  const before = process.umask(0o077); // as strict as any
  try {
    openRecordFile(directory, "alpha", time).close();
  } finally {
    process.umask(before);
  }
  const [folder, file] = [join(directory, "alpha"), day(directory)].map((path) => statSync(path));
  expect({ gid: folder?.gid, mode: (folder?.mode ?? 0) & 0o777 }).toEqual({ gid: READERS, mode: 0o750 });
  expect({ gid: file?.gid, mode: (file?.mode ?? 0) & 0o7777 }).toEqual({ gid: READERS, mode: 0o640 });
});

test.skipIf(!isRoot)("a folder of another account is refused (needs root to make one)", () => {
  const directory = writeArchive({});
  const { status } = spawnSync("chown", ["65534", directory]);
  expect(status).toBe(0);
  expect(failure(() => openRecordFile(directory, "alpha", time)).message).toContain("belongs to uid 65534");
});
