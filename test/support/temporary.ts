import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";

const made: string[] = [];
afterAll(() => {
  for (const path of made) rmSync(path, { recursive: true, force: true });
});

/** A fresh directory that goes when the test file is done. */
export function temporaryFolder(purpose: string): string {
  const path = realpathSync(mkdtempSync(join(tmpdir(), `nixgate-${purpose}-`)));
  made.push(path);
  return path;
}

/** An archive in a fresh directory: `team/day` → text. */
export function writeArchive(files: Readonly<Record<string, string>>): string {
  const directory = temporaryFolder("records");
  for (const [name, text] of Object.entries(files)) {
    const path = join(directory, `${name}.jsonl`);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, text);
  }
  return directory;
}
