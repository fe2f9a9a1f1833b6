import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { onTestFinished } from "vitest";
import { configFiles } from "../../src/system/files/config-files.ts";

/** The configuration files of this machine as the tests' own account may read them. */
export const files = configFiles([process.getuid?.() ?? 0]);

/** The least that nixgate.toml needs for every endpoint. */
export const HOST = `schema = 1
[programs]
nix-store = "/usr/bin/nix-store"
nix-daemon = "/usr/bin/nix-daemon"
`;

/** A folder with these files, gone when the test is over. */
export function configFolder(contents: Readonly<Record<string, string>>): string {
  const directory = mkdtempSync(join(tmpdir(), "nixgate-config-"));
  onTestFinished(() => rmSync(directory, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(contents)) {
    mkdirSync(join(directory, dirname(name)), { recursive: true, mode: 0o755 });
    writeFileSync(join(directory, name), text, { mode: 0o644 });
  }
  return directory;
}
