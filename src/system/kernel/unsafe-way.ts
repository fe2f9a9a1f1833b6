import { realpathSync, statSync } from "node:fs";
import { dirname } from "node:path";

const OTHERS_WRITE = 0o022;

/**
 * The first part of the way to a program that sshd would not take for an AuthorizedKeysCommand: the program where its links
 * end, then each folder above it up to /, must be root's and writable for nobody else (safe_path of misc.c, OpenSSH 9.2).
 * Debian's sshd lets a group pass that nobody else is in (user-group-modes.patch); who may come into the group later is not
 * for this to judge. Undefined where all are in order, or the program is not there.
 */
export function unsafeWay(
  program: string,
  look: (path: string) => { readonly uid: number; readonly mode: number } = statSync,
): { readonly path: string; readonly uid: number; readonly mode: number } | undefined {
  for (let path = realPath(program); path !== undefined; path = path === "/" ? undefined : dirname(path)) {
    const { uid, mode } = look(path);
    if (uid !== 0 || (mode & OTHERS_WRITE) !== 0) return { path, uid, mode: mode & 0o7777 };
  }
  return undefined;
}

function realPath(path: string): string | undefined {
  try {
    return realpathSync(path);
  } catch {
    return undefined;
  }
}
