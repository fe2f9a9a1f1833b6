import { closeSync, constants, fstatSync, mkdirSync, openSync, type Stats } from "node:fs";
import { type Fd, toFd } from "../../units/ids.ts";
import { escapeText } from "../../units/text.ts";

/**
 * Linux's O_PATH (include/uapi/asm-generic/fcntl.h, the same on x86_64 and arm64), which Node does not define: a
 * descriptor of the path only. It can pass through a folder without read permission, and does not really open a FIFO or
 * a device.
 */
export const O_PATH = 0o10000000;
const { O_DIRECTORY, O_NOFOLLOW, O_RDONLY } = constants;
const OTHERS_WRITE = 0o022;
const STICKY = 0o1000;

/** The reason why a folder is not trusted, and the remedy. */
export class UnsafeFolder extends Error {
  readonly hint: string;
  constructor(message: string, hint: string) {
    super(message);
    this.hint = hint;
  }
}

/** A path inside an open folder. It replaces openat(2), which Node does not have. */
export const inside = (folderFd: Fd, name: string): string => `/proc/self/fd/${folderFd}/${name}`;

/** Whether the owner is root or the caller. Records are written into no other account's folders. */
export const isRootsOrOwn = (stat: Pick<Stats, "uid">): boolean => stat.uid === 0 || stat.uid === process.geteuid?.();
export const othersWrite = (stat: Pick<Stats, "mode">): boolean => (stat.mode & OTHERS_WRITE) !== 0;

/**
 * Opens an absolute folder one component after the other, so that neither a link nor a concurrent replacement can
 * redirect it. Every folder must belong to root or the caller, and be writable by no other account. Two kinds are
 * exempt, because the next step checks the owner of each entry in them: sticky folders (/tmp), and above the last
 * folder those that root has opened to a group (Ubuntu's /var/log is root:syslog 0775).
 * @returns the folder's descriptor, for `inside`; the caller closes it
 * @throws UnsafeFolder, or Node's own error with its errno
 */
export function openFolder(path: string): Fd {
  const names = path.split("/").filter((name) => name !== "");
  if (!path.startsWith("/") || names.some((name) => name === "." || name === ".."))
    throw new UnsafeFolder(
      `${escapeText(path)}: not a plain absolute path`,
      "write the absolute path without . and ..",
    );
  let folderFd = toFd(openSync("/", O_PATH | O_DIRECTORY));
  let walked = "";
  try {
    for (const [index, name] of names.entries()) {
      walked += `/${name}`;
      const next = openStep(folderFd, name, walked);
      closeSync(folderFd);
      folderFd = next;
      checkStep(folderFd, walked, index === names.length - 1);
    }
    return folderFd;
  } catch (error) {
    closeSync(folderFd);
    throw error;
  }
}

function openStep(folderFd: Fd, name: string, walked: string): Fd {
  try {
    return toFd(openSync(inside(folderFd, name), O_PATH | O_DIRECTORY | O_NOFOLLOW));
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    // For a link, O_NOFOLLOW alone gives ELOOP. Together with O_DIRECTORY it gives ENOTDIR.
    if (code === "ENOTDIR" || code === "ELOOP")
      throw new UnsafeFolder(
        `${escapeText(walked)}: a link, or not a folder`,
        "name the folder itself: links to records are not followed",
      );
    throw error;
  }
}

function checkStep(folderFd: Fd, walked: string, isLast: boolean): void {
  const stat = fstatSync(folderFd);
  const shown = escapeText(walked);
  if (!isRootsOrOwn(stat)) {
    throw new UnsafeFolder(`${shown}: belongs to uid ${stat.uid}`, `chown it to root or to uid ${process.geteuid?.()}`);
  }
  if (!othersWrite(stat) || (stat.mode & STICKY) !== 0) return;
  const rootsGroup = !isLast && stat.uid === 0 && (stat.mode & 0o002) === 0;
  if (!rootsGroup) throw new UnsafeFolder(`${shown}: others can write to it`, `chmod go-w ${shown}`);
}

/**
 * Makes a folder in an open one where it is missing.
 * @returns true when it is new
 */
export function makeFolder(parentFd: Fd, name: string, mode: number): boolean {
  try {
    mkdirSync(inside(parentFd, name), mode);
    return true;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "EEXIST") return false;
    throw error;
  }
}

/**
 * Opens a folder in an open one for reading and fsync(2), with the checks of `openFolder`. No group may write to it.
 */
export function openFolderIn(parentFd: Fd, name: string, path: string): Fd {
  closeSync(openStep(parentFd, name, path));
  const folderFd = toFd(openSync(inside(parentFd, name), O_RDONLY | O_DIRECTORY | O_NOFOLLOW));
  try {
    checkStep(folderFd, path, true);
    return folderFd;
  } catch (error) {
    closeSync(folderFd);
    throw error;
  }
}
