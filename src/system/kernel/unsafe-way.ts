import { realpathSync, statSync } from "node:fs";
import { dirname } from "node:path";

const OTHERS_WRITE = 0o022;

/**
 * The first part of the path to a program that sshd would refuse for an AuthorizedKeysCommand. The program at the end
 * of its links, and each folder above it up to /, must belong to root and be writable by no other account (safe_path of
 * misc.c, OpenSSH 9.2). Debian's sshd accepts a group without other members (user-group-modes.patch). Members that join
 * the group later are not checked here. Undefined where all parts are in order, or the program does not exist.
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
