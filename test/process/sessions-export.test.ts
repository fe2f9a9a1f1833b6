import { spawn, spawnSync } from "node:child_process";
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nixgate } from "../support/nixgate.ts";
import { sessionLines } from "../support/records.ts";
import { temporaryFolder, writeArchive } from "../support/temporary.ts";

const text = sessionLines("2026-01-05T03:12:00Z").lines.join("");
const directory = writeArchive({ "alpha/2026-01-05": text });
const run = (words: readonly string[], options = {}) =>
  nixgate(["sessions", "export", "--log-dir", directory, ...words], options);
const fresh = () => join(temporaryFolder("export"), "out");

test("JSON Lines that were exported are an archive again, and verify finds nothing in it", async () => {
  const { stdout } = await run([]);
  expect(stdout.toString()).toBe(text);
  const again = writeArchive({ "alpha/2026-01-05": stdout.toString() });
  const { stdout: said, status } = await nixgate(["sessions", "verify", "--log-dir", again, "--no-journal"]);
  const [first] = said.toString().split("\n");
  expect([status, first]).toEqual([0, "5 records, 1 session, 1 file, 0 running: nothing found"]);
});

test("-o writes a file for this account alone, and replaces one that is there", async () => {
  const path = fresh();
  writeFileSync(path, "yesterday's", { mode: 0o644 });
  const { status, stdout, stderr } = await run(["-o", path, "--format", "csv"]);
  expect({ status, stdout: stdout.toString(), stderr }).toEqual({ status: 0, stdout: "", stderr: "" });
  expect(readFileSync(path, "utf8").split("\r\n")).toHaveLength(3);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(join(path, ".."))).toEqual(["out"]);
});

test.each(["link", "folder", "fifo"])("a %s in the file's place is left alone", async (kind) => {
  const path = fresh();
  const victim = `${path}-victim`;
  writeFileSync(victim, "untouched");
  if (kind === "link") symlinkSync(victim, path);
  else if (kind === "folder") mkdirSync(path);
  else expect(spawnSync("mkfifo", [path]).status).toBe(0);
  const { status, stderr } = await run(["-o", path]);
  expect({ status, stderr }).toEqual({
    status: 73,
    stderr: `nixgate: ${path}: exists and is not a regular file\nnixgate: name another file, or leave -o out and redirect stdout\n`,
  });
  expect(readFileSync(victim, "utf8")).toBe("untouched");
});

test("a folder that does not exist is an error that names the file", async () => {
  const { status, stderr } = await run(["-o", "/nowhere/out"]);
  expect([status, stderr.split("\n")[0]]).toEqual([73, "nixgate: /nowhere/out: cannot be created: ENOENT"]);
  expect(existsSync("/nowhere")).toBe(false);
});

test("a full disk is an error, not a short export", async () => {
  const { status, stderr } = await run([], { stdio: ["ignore", openSync("/dev/full", "w"), "pipe"] });
  expect([status, stderr.split("\n")[0]]).toEqual([74, "nixgate: stdout: cannot be written: ENOSPC"]);
});

const large = writeArchive({ "alpha/2026-01-05": "" });
const COUNT = 40_000;
for (let count = 0; count < COUNT; count += 500) {
  const lines = Array.from({ length: 500 }, () => sessionLines("2026-01-05T03:12:00Z").lines.join(""));
  appendFileSync(join(large, "alpha/2026-01-05.jsonl"), lines.join(""));
}

test("a reader that goes, as head does, ends it in peace", async () => {
  const child = spawn("sh", ["-c", `bin/nixgate sessions export --log-dir ${large} | head -n 1; echo "status $?"`]);
  let said = "";
  child.stdout.on("data", (data) => {
    said += data;
  });
  child.stderr.on("data", (data) => {
    said += data;
  });
  await new Promise((resolve) => child.on("close", resolve));
  expect(said).toMatch(/^\{"v":1,.*\}\nstatus 0\n$/);
});

const SAY_PEAK = "./test/fixtures/programs/say-peak.cjs";
const peakMiB = (format: string, of: string) => {
  const words = ["--require", SAY_PEAK, "bin/nixgate.cjs", "sessions", "export", "--format", format, "--log-dir", of];
  const { stderr } = spawnSync("dist/node", words, { stdio: ["ignore", "ignore", "pipe"], encoding: "utf8" });
  return Number(stderr) / 1024;
};

test.each(["jsonl", "csv", "ecs", "ocsf"])("%s of 200,000 records takes hardly more memory than of 5", (format) => {
  expect(peakMiB(format, large) - peakMiB(format, directory)).toBeLessThan(100);
});
