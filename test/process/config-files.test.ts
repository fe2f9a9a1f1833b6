import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import {
  chmodSync,
  chownSync,
  lchownSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { configFiles } from "../../src/system/files/config-files.ts";

const uid = process.getuid?.() ?? -1;
const files = configFiles([uid]);
const asRoot = test.skipIf(uid !== 0);
const STRANGER = 65_534;

let dir: string;
beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), "nixgate-config-files-"));
});
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const put = (name: string, text = "schema = 1\n"): string => {
  writeFileSync(join(dir, name), text, { mode: 0o644 });
  return join(dir, name);
};
const refusal = (path: string) => {
  const read = files.read(path);
  return read.kind === "found" ? "found" : `${read.problem.path}: ${read.problem.message}`;
};

test("reads a file and the digest of its very bytes", () => {
  const path = put("a.toml", "\ufeffé = 1\n");
  expect(files.read(path)).toEqual({
    kind: "found",
    found: { path, text: "é = 1\n", sha256: createHash("sha256").update("\ufeffé = 1\n").digest("hex") },
  });
});

test("a file that does not exist is missing, not refused", () => {
  expect(files.read(join(dir, "none.toml"))).toMatchObject({
    kind: "missing",
    problem: { path: join(dir, "none.toml") },
  });
  expect(files.read(join(dir, "none/none.toml"))).toMatchObject({ kind: "missing" });
});

/** A process that may open no more files than it has by now looks at a configuration, and then at it again. */
const SHORT_OF_FILES = `
  const { configFiles } = await import(process.argv[1]);
  const { execFileSync } = await import("node:child_process");
  const { openSync, readdirSync } = await import("node:fs");
  const files = configFiles([process.getuid()]);
  const look = () => [files.read(process.argv[2] + "/a.toml"), files.list(process.argv[2])];
  const before = look();
  const most = Math.max(...readdirSync("/proc/self/fd").map(Number));
  execFileSync("prlimit", ["--pid", String(process.pid), "--nofile=" + most + ":"]);
  try {
    for (;;) openSync("/dev/null");
  } catch {}
  const lacking = look();
  console.log(JSON.stringify({ before: before.map(({ kind }) => kind), lacking }));`;

test("a momentary lack of the host or the account is no fault of the file", () => {
  put("a.toml");
  const module = join(import.meta.dirname, "../../src/system/files/config-files.ts");
  const words = ["--input-type=module", "--eval", SHORT_OF_FILES, module, dir];
  const { before, lacking } = JSON.parse(execFileSync(process.execPath, words, { encoding: "utf8" }));
  expect(before).toEqual(["found", "found"]);
  const message = "cannot be read now: this account may open no more files (nofile of limits.conf(5))";
  expect(lacking).toMatchObject(Array(2).fill({ kind: "refused", problem: { message, temporary: true } }));
});

asRoot("a disk that fails is not the file's fault", () => {
  // nothing is mapped at the first byte of a process: the kernel answers EIO (proc_pid_mem(5))
  expect(files.read(`/proc/${process.pid}/mem`)).toMatchObject({
    kind: "refused",
    problem: { message: "cannot be read now: its disk or file server answers with EIO", temporary: true },
  });
});

test("refuses a file that is not regular, and does not wait for a FIFO's writer", () => {
  execFileSync("mkfifo", [join(dir, "fifo.toml")]);
  mkdirSync(join(dir, "folder.toml"));
  expect(refusal(join(dir, "fifo.toml"))).toMatch(/is a FIFO, a socket or a device, not a regular file/);
  expect(refusal(join(dir, "folder.toml"))).toBe(`${dir}/folder.toml: is a folder`);
  expect(refusal("/dev/null")).toMatch(/device/);
  expect(refusal(join(put("a.toml"), "b.toml"))).toBe(`${dir}/a.toml: is not a folder`);
});

describe("writable by others", () => {
  test.each([0o664, 0o646, 0o666])("refuses a file of mode %o", (mode) => {
    const path = put("a.toml");
    chmodSync(path, mode);
    expect(refusal(path)).toBe(`${path}: is writable by others than its owner (mode ${mode.toString(8)})`);
  });

  test.each([0o775, 0o757, 0o777])("refuses a folder of mode %o above the file", (mode) => {
    mkdirSync(join(dir, "open/below"), { recursive: true });
    const path = put("open/below/a.toml");
    chmodSync(join(dir, "open"), mode);
    expect(refusal(path)).toBe(`${dir}/open: is writable by others than its owner (mode ${mode.toString(8)})`);
  });

  test("the problem says how to mend it", () => {
    const path = put("a.toml");
    chmodSync(path, 0o664);
    expect(files.read(path)).toMatchObject({ kind: "refused", problem: { fix: `chmod go-w ${path}` } });
  });

  asRoot("a folder below a sticky one of root's is fine, a file or a link directly in it is not", () => {
    mkdirSync(join(dir, "sticky/mine"), { recursive: true });
    chmodSync(join(dir, "sticky"), 0o1777);
    const below = put("sticky/mine/a.toml");
    const direct = put("sticky/a.toml");
    symlinkSync(below, join(dir, "sticky/link.toml"));
    expect(refusal(below)).toBe("found");
    expect(refusal(direct)).toBe(`${direct}: is a file in a folder that others can write to`);
    expect(refusal(join(dir, "sticky/link.toml"))).toMatch(/is a link in a folder that others can write/);
  });

  asRoot("root's files and links in a store that only a group may write are accepted", () => {
    mkdirSync(join(dir, "store"));
    const file = put("store/hash-nixgate.toml");
    symlinkSync("hash-nixgate.toml", join(dir, "store/link.toml"));
    chmodSync(join(dir, "store"), 0o1775);
    expect([refusal(file), refusal(join(dir, "store/link.toml"))]).toEqual(["found", "found"]);
    chownSync(file, STRANGER, STRANGER);
    expect(refusal(file)).toMatch(/belongs to user 65534/);
  });
});

describe("belongs to somebody else", () => {
  asRoot("refuses a file, a folder and a link of another user", () => {
    const path = put("a.toml");
    chownSync(path, STRANGER, STRANGER);
    expect(refusal(path)).toBe(`${path}: belongs to user 65534, not to root or the caller`);

    mkdirSync(join(dir, "theirs"));
    const below = put("theirs/a.toml");
    chownSync(join(dir, "theirs"), STRANGER, STRANGER);
    expect(refusal(below)).toBe(`${dir}/theirs: belongs to user 65534, not to root or the caller`);

    symlinkSync(put("b.toml"), join(dir, "link.toml"));
    lchownSync(join(dir, "link.toml"), STRANGER, STRANGER);
    expect(refusal(join(dir, "link.toml"))).toMatch(/link.toml: belongs to user 65534/);
  });

  asRoot("a given owner is trusted beside root", () => {
    const path = put("a.toml");
    chownSync(path, STRANGER, STRANGER);
    expect(configFiles([STRANGER]).read(path).kind).toBe("found");
  });
});

describe("links", () => {
  test("follows a trusted link, part by part", () => {
    mkdirSync(join(dir, "real/sub"), { recursive: true });
    put("real/a.toml");
    symlinkSync("real/sub", join(dir, "one"));
    symlinkSync(`${dir}/one/../a.toml`, join(dir, "two.toml"));
    expect(refusal(join(dir, "two.toml"))).toBe("found");
  });

  test("judges where a link leads", () => {
    mkdirSync(join(dir, "open"));
    const path = put("open/a.toml");
    chmodSync(join(dir, "open"), 0o777);
    symlinkSync(path, join(dir, "link.toml"));
    expect(refusal(join(dir, "link.toml"))).toMatch(/open: is writable by others/);
  });

  test("judges where a link stands", () => {
    const path = put("a.toml");
    mkdirSync(join(dir, "open"));
    symlinkSync(path, join(dir, "open/link.toml"));
    chmodSync(join(dir, "open"), 0o777);
    expect(refusal(join(dir, "open/link.toml"))).toMatch(/open: is writable by others/);
  });

  test("gives up on links in a circle", () => {
    symlinkSync("b.toml", join(dir, "a.toml"));
    symlinkSync("a.toml", join(dir, "b.toml"));
    expect(refusal(join(dir, "a.toml"))).toMatch(/in a chain of too many links/);
  });
});

test("reads a mebibyte and refuses one byte more, and 100 MB without reading them", () => {
  const path = put("a.toml", "#".repeat(1024 * 1024));
  expect(refusal(path)).toBe("found");
  truncateSync(path, 1024 * 1024 + 1);
  expect(refusal(path)).toBe(`${path}: is larger than 1 MiB`);
  truncateSync(path, 100_000_000);
  const before = process.memoryUsage().rss;
  expect(refusal(path)).toBe(`${path}: is larger than 1 MiB`);
  expect(process.memoryUsage().rss - before).toBeLessThan(50_000_000);
});

test("refuses a file of size 0 that has bytes", () => {
  expect(refusal("/proc/version")).toMatch(/grew while it was read/);
});

test("refuses text that is not UTF-8", () => {
  writeFileSync(join(dir, "a.toml"), Buffer.from([0x61, 0xff, 0x0a]));
  expect(refusal(join(dir, "a.toml"))).toBe(`${dir}/a.toml: is not UTF-8`);
});

test("lists a folder, sorted, and tells the kind of a path", () => {
  put("b.toml");
  put("a.toml");
  expect(files.list(dir)).toEqual({ kind: "found", found: ["a.toml", "b.toml"] });
  expect(files.list(join(dir, "a.toml")).kind).toBe("refused");
  expect([files.kind(dir), files.kind(join(dir, "a.toml"))]).toMatchObject([{ found: "directory" }, { found: "file" }]);
});

test("leaves no descriptor open, whether it reads or refuses", () => {
  const open = () => readdirSync("/proc/self/fd").length;
  const before = open();
  files.read(put("a.toml"));
  files.read(join(dir, "none.toml"));
  files.read("/dev/null");
  expect(open()).toBe(before);
});
