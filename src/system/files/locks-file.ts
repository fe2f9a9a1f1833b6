import { chmodSync, closeSync, constants, fchmodSync, mkdirSync, openSync } from "node:fs";
import { dirname } from "node:path";
import type { Lock } from "../../policy/locks.ts";
import { type Fd, toFd } from "../../units/ids.ts";
import { closingError, putClosing, takeClosing } from "./closing-files.ts";
import { lockFile } from "./lock.ts";

/**
 * Replaces the locks of the file, or removes a file without a lock. Meanwhile no other process can do so: a file beside
 * it is locked by flock(2).
 * @param change gets no locks: it reads them itself, now that nobody else changes them
 * @throws NixgateError E_CLOSING; RecordError E_LOG_WRITE where another process of root's holds that file for long
 */
export async function changeLocks(path: string, change: () => Promise<readonly Lock[]>): Promise<void> {
  const held = openHeld(path);
  try {
    await lockFile(held, heldPath(path));
    const locks = await change();
    if (locks.length === 0) takeClosing(path);
    else putClosing(path, JSON.stringify({ locks }, undefined, 1));
  } finally {
    closeSync(held);
  }
}

const heldPath = (path: string) => `${path}.held`;

/**
 * Opens the file that is locked. Any account that can open a file, also only for reading, can hold its flock(2). So this
 * file is root's alone, and the folder and the file of locks, which all accounts read, are not locked.
 */
function openHeld(path: string): Fd {
  let held: Fd | undefined;
  try {
    mkdirSync(dirname(path), { recursive: true });
    chmodSync(dirname(path), 0o755); // whatever the umask
    held = toFd(openSync(heldPath(path), constants.O_RDWR | constants.O_CREAT | constants.O_NOFOLLOW, 0o600));
    fchmodSync(held, 0o600);
    return held;
  } catch (error) {
    if (held !== undefined) closeSync(held);
    throw closingError(path, error);
  }
}
