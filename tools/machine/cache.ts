import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, utimesSync } from "node:fs";
import { homedir } from "node:os";
import { dirname, join } from "node:path";
import { execa } from "execa";
import { processId } from "./processes.ts";

/**
 * Cache entries that were unused for this long are removed. Parallel working trees may need different versions of an
 * entry.
 */
const UNUSED_MS = 12 * 3600 * 1000;

/** The folder of everything that the tool stores. It is outside the repository, and all worktrees share it. */
export function cacheFolder(...names: string[]): string {
  const home = process.env["XDG_CACHE_HOME"] || join(homedir(), ".cache");
  return join(home, "nixgate-machine", ...names);
}

/** The cache key for these texts and files. Equal keys mean equal results. */
export function keyOf(...parts: (string | Buffer)[]): string {
  const hash = createHash("sha256");
  for (const part of parts) hash.update(`${Buffer.byteLength(part)}:`).update(part);
  return hash.digest("hex").slice(0, 16);
}

/** The names and contents of a file, or of every file of a folder. */
export function contents(path: string): string[] {
  const names = existsSync(path) ? readdirSync(path, { recursive: true, withFileTypes: true }) : [];
  return names
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .sort()
    .flatMap((file) => [file.slice(path.length), readFileSync(file, "base64")]);
}

/**
 * Returns a folder of the cache and makes it when it is missing. The folder gets its name only when it is complete.
 * Remains of killed runs and unused keys of the same name are removed.
 * @param name of the entry, as `image/trixie`
 * @param make fills the folder it is given
 */
export async function cached(name: string, key: string, make: (folder: string) => Promise<void>): Promise<string> {
  const folder = cacheFolder(`${name}-${key}`);
  if (existsSync(folder)) {
    const now = new Date();
    utimesSync(folder, now, now);
    return folder;
  }
  mkdirSync(dirname(folder), { recursive: true });
  removeStale(name, folder);
  const partial = `${folder}.partial-${process.pid}`;
  mkdirSync(partial);
  try {
    await make(partial);
    // Another run may have finished first. Both results are the same.
    if (!existsSync(folder)) renameSync(partial, folder);
  } finally {
    rmSync(partial, { recursive: true, force: true });
  }
  return folder;
}

function removeStale(name: string, current: string): void {
  const above = dirname(current);
  const old = Date.now() - UNUSED_MS;
  const prefix = `${name.slice(name.lastIndexOf("/") + 1)}-`;
  for (const entry of readdirSync(above)) {
    if (!entry.startsWith(prefix)) continue;
    const maker = /\.partial-(\d+)$/.exec(entry)?.[1];
    if (maker !== undefined && processId(Number(maker)) !== undefined) continue;
    if (maker === undefined && statSync(join(above, entry)).mtimeMs > old) continue;
    rmSync(join(above, entry), { recursive: true, force: true });
  }
}

/** The ssh keys of the client and the server. They are made once for each host and never stored in the repository. */
export async function keys(): Promise<string> {
  return cached("keys/ssh", "ed25519", async (folder) => {
    for (const name of ["id", "host"])
      await execa("ssh-keygen", ["-q", "-t", "ed25519", "-N", "", "-C", `nixgate-${name}`, "-f", join(folder, name)]);
  });
}
