import { spawn } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, statSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { LARGE_ARCHIVE_DAYS, writeLargeArchive } from "../support/large-archive.ts";

/** What the archive's bytes depend on: other code makes another archive. */
const MAKERS = [
  "test/support/large-archive.ts",
  ...["chain", "schema", "field", "vocabulary", "request-text"].map((name) => `src/record/${name}.ts`),
];
const PROCESSES = 2;

/** The archive of so many sessions, made when it is not in the cache yet. */
export async function largeArchive(sessions: number): Promise<{ directory: string; files: string[]; bytes: number }> {
  const makers = createHash("sha256");
  for (const path of MAKERS) makers.update(readFileSync(path));
  const cache = join(process.env["XDG_CACHE_HOME"] ?? join(homedir(), ".cache"), "nixgate/bench");
  const directory = join(cache, `records-${sessions}-${makers.digest("hex").slice(0, 12)}`);
  if (!existsSync(directory)) {
    const part = `${directory}.part`;
    rmSync(part, { recursive: true, force: true });
    mkdirSync(part, { recursive: true });
    console.log(`making ${directory}, once`);
    await Promise.all(Array.from({ length: PROCESSES }, (_, which) => make(part, sessions, which)));
    renameSync(part, directory);
  }
  const files = globSync(`${directory}/*/*.jsonl`).sort();
  return { directory, files, bytes: files.reduce((sum, path) => sum + statSync(path).size, 0) };
}

function make(directory: string, sessions: number, which: number): Promise<void> {
  const child = spawn(process.execPath, [import.meta.filename, directory, String(sessions), String(which)], {
    stdio: "inherit",
  });
  return new Promise((resolve, reject) => {
    child.once("close", (status) => (status === 0 ? resolve() : reject(new Error(`it ended with ${status}`))));
  });
}

if (process.argv[1] === import.meta.filename) {
  const [directory = "", sessions, which] = process.argv.slice(2);
  const days = Array.from({ length: LARGE_ARCHIVE_DAYS }, (_, day) => day);
  writeLargeArchive(
    directory,
    Number(sessions),
    days.filter((day) => day % PROCESSES === Number(which)),
  );
}
