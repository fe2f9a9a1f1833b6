import { closeSync, constants, fstatSync, openSync, readlinkSync, type Stats } from "node:fs";
import { lackOfNow } from "../../units/exhausted.ts";
import { type Fd, toFd } from "../../units/ids.ts";
import { O_PATH } from "./safe-folder.ts";

/**
 * Follows a path component by component, as openat(2) would. Each component is opened without following links, relative
 * to the open parent folder. The open file is checked, so it cannot be replaced between the check and its use.
 *
 * The rule is that of OpenSSH's StrictModes (safe_path in misc.c, OpenSSH 9.2): the file and every folder above it
 * belong to root or the caller and are writable by no other account. There are three differences from sshd:
 * - sshd stops at the home folder. Here the path is checked up to `/`, because configuration lies outside homes.
 * - sshd resolves links first and checks only their targets. Here the folder of each link is checked too, and a link
 *   must belong to root or the caller. NixOS's /etc → /nix/store is accepted: every part of it is root's.
 * - sshd ignores the sticky bit. A folder of root's in which others can replace only their own entries (/tmp, 1777) may
 *   contain a *folder* of root's or the caller's on the path. Files and links directly in it are refused. Where only a
 *   group may write (/nix/store, 1775), root's own are accepted.
 */

const { O_NOFOLLOW, O_RDONLY, O_NONBLOCK, O_DIRECTORY, S_IFMT, S_IFDIR, S_IFREG, S_IFLNK } = constants;
/** The kernel's own limit (path_resolution(7)). */
const MOST_LINKS = 40;

/** A path that was followed to its end. `withTrustedPath` closes the descriptors. */
export interface OpenPath {
  readonly type: "file" | "directory";
  /** The file, open for reading. */
  file(): Fd;
  /** A path of the open folder. */
  folder(): string;
}

/** A path that is not trusted or does not exist. The message continues "path: ". */
export class PathRefused extends Error {
  readonly path: string;
  readonly fix: string;
  /** `missing`: nothing has that name. `temporary`: the host could not look at this moment. */
  readonly kind: "missing" | "temporary" | "refused";

  constructor(path: string, message: string, fix: string, kind: PathRefused["kind"] = "refused") {
    super(message);
    this.path = path;
    this.fix = fix;
    this.kind = kind;
  }
}

interface Part {
  readonly fd: Fd;
  readonly path: string;
  readonly stats: Stats;
}

/** @throws PathRefused */
export function withTrustedPath<T>(path: string, owners: readonly number[], use: (open: OpenPath) => T): T {
  const descriptors: Fd[] = [];
  const open = (name: string, flags: number) => {
    const fd = toFd(openSync(name, flags));
    descriptors.push(fd);
    return fd;
  };
  try {
    const { fd, stats } = follow(path, owners, open);
    const type = kindOf(stats) === "a folder" ? "directory" : "file";
    return use({
      type,
      // opens the same inode again, even where the path now leads elsewhere
      file: () => open(`/proc/self/fd/${fd}`, O_RDONLY | O_NONBLOCK),
      folder: () => `/proc/self/fd/${fd}`,
    });
  } catch (error) {
    throw toNixgateError(path, error);
  } finally {
    for (const fd of descriptors) closeSync(fd);
  }
}

function follow(path: string, owners: readonly number[], open: (name: string, flags: number) => Fd): Part {
  const absolute = path.startsWith("/") ? path : `${process.cwd()}/${path}`;
  const todo = absolute.split("/");
  const rootFd = open("/", O_PATH | O_DIRECTORY);
  const root: Part = { fd: rootFd, path: "/", stats: fstatSync(rootFd) };
  judge(root, root, owners);
  const way = [root];
  let links = 0;
  for (let name = todo.shift(); name !== undefined; name = todo.shift()) {
    if (name === "" || name === ".") continue;
    if (name === "..") {
      if (way.length > 1) way.pop();
      continue;
    }
    const parent = way.at(-1) ?? root;
    const here = `${parent.path === "/" ? "" : parent.path}/${name}`;
    if (kindOf(parent.stats) !== "a folder")
      throw new PathRefused(parent.path, "is not a folder", "put a folder there");
    const fd = openPart(open, parent, name, here);
    const part = { fd, path: here, stats: fstatSync(fd) };
    judge(part, parent, owners);
    if (kindOf(part.stats) !== "a link") {
      way.push(part);
      continue;
    }
    links += 1;
    if (links > MOST_LINKS) throw new PathRefused(here, "is in a chain of too many links", "name the file directly");
    // Only root or the caller can replace the link: its folder was checked.
    const target = readlinkSync(`/proc/self/fd/${parent.fd}/${name}`);
    if (target.startsWith("/")) way.length = 1;
    todo.unshift(...target.split("/"));
  }
  return way.at(-1) ?? root;
}

function openPart(open: (name: string, flags: number) => Fd, parent: Part, name: string, here: string): Fd {
  try {
    return open(`/proc/self/fd/${parent.fd}/${name}`, O_PATH | O_NOFOLLOW);
  } catch (error) {
    throw toNixgateError(here, error);
  }
}

/** Throws unless only root and the trusted owners can change this component of the path. */
function judge(part: Part, parent: Part, owners: readonly number[]): void {
  const { path, stats } = part;
  const kind = kindOf(stats);
  const mode = stats.mode & 0o7777;
  if (kind === SPECIAL) throw new PathRefused(path, `is ${kind}, not a regular file`, "put a regular file there");
  if (stats.uid !== 0 && !owners.includes(stats.uid))
    throw new PathRefused(path, `belongs to user ${stats.uid}, not to root or the caller`, `chown root ${path}`);
  const shared = (parent.stats.mode & 0o022) !== 0;
  const rootsInStore = (parent.stats.mode & 0o002) === 0 && stats.uid === 0;
  if (shared && kind !== "a folder" && !rootsInStore)
    throw new PathRefused(path, `is ${kind} in a folder that others can write to`, `move it into a folder of its own`);
  const sticky = kind === "a folder" && stats.uid === 0 && (mode & 0o1000) !== 0;
  if (kind !== "a link" && (mode & 0o022) !== 0 && !sticky)
    throw new PathRefused(
      path,
      `is writable by others than its owner (mode ${mode.toString(8)})`,
      `chmod go-w ${path}`,
    );
}

const SPECIAL = "a FIFO, a socket or a device";

function kindOf(stats: Stats): "a file" | "a folder" | "a link" | typeof SPECIAL {
  switch (stats.mode & S_IFMT) {
    case S_IFREG:
      return "a file";
    case S_IFDIR:
      return "a folder";
    case S_IFLNK:
      return "a link";
    default:
      return SPECIAL;
  }
}

const isErrno = (error: unknown): error is NodeJS.ErrnoException => error instanceof Error && "code" in error;

/** Converts a system error to one with a plain message; returns other errors unchanged. */
function toNixgateError(path: string, error: unknown): unknown {
  if (error instanceof PathRefused || !isErrno(error)) return error;
  if (error.code === "ENOENT") return new PathRefused(path, "does not exist", "create it", "missing");
  if (error.code === "EACCES")
    return new PathRefused(path, "cannot be read by this account", "let the account read it");
  const lack = lackOfNow(error);
  if (lack !== undefined) {
    const fix = "check the host: the error says nothing about the file";
    return new PathRefused(path, `cannot be read now: ${lack}`, fix, "temporary");
  }
  return new PathRefused(path, `cannot be read (${error.code ?? error.message})`, "check the file system and the path");
}
