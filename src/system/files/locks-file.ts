import { chmodSync, closeSync, constants, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import type { Lock } from "../../policy/locks.ts";
import { closingError, putClosing, takeClosing } from "./closing-files.ts";
import { lockFile } from "./lock.ts";

/**
 * Replaces the locks of the file, or removes a file without a lock. Meanwhile no other process can do so: its folder is
 * locked by flock(2).
 * @param change gets no locks: it reads them itself, now that nobody else changes them
 * @throws NixgateError E_CLOSING; RecordError E_LOG_WRITE where another process holds the folder for long
 */
export async function changeLocks(path: string, change: () => Promise<readonly Lock[]>): Promise<void> {
  const folder = openFolder(path);
  try {
    await lockFile(folder, dirname(path));
    const locks = await change();
    if (locks.length === 0) takeClosing(path);
    else putClosing(path, JSON.stringify({ locks }, undefined, 1));
  } finally {
    closeSync(folder);
  }
}

function openFolder(path: string): number {
  try {
    mkdirSync(dirname(path), { recursive: true });
    chmodSync(dirname(path), 0o755); // whatever the umask
    return openSync(dirname(path), constants.O_RDONLY | constants.O_DIRECTORY);
  } catch (error) {
    throw closingError(path, error);
  }
}
