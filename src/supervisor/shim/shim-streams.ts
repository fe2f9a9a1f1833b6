import { chownSync, closeSync, constants, fstatSync, readlinkSync } from "node:fs";
import { ScopeUnavailable } from "../../session/scope-unavailable.ts";
import { isOpenFor, openFileIn } from "../../system/kernel/open-file.ts";
import { type Fd, toFd } from "../../units/ids.ts";
import type { ShimProcess } from "./shim-process.ts";

type Holds = Pick<ShimProcess, "hold" | "fdinfo">;

/** The client's streams of a shim, held so that systemd can open them for a service. */
export interface HeldStreams {
  /**
   * The paths of stdin, stdout and stderr, below the /proc of this process, where no other process can replace them.
   */
  readonly paths: readonly [string, string, string];
  close(): void;
}

/** bin/nixgate-shim keeps the client's stderr as fd 3. */
export const STDERR = toFd(3);
const STREAMS = [toFd(0), toFd(1), STDERR] as const;
const ROOT = 0;
/** The kernel's name of a pipe without a name in any file system (pipe(7)). A file name would begin with a slash. */
const ANONYMOUS_PIPE = /^pipe:\[\d+\]$/;

/**
 * The owner of the anonymous pipe behind a held descriptor. The link is read first, because the kernel alone makes it.
 * A file system of the account may never answer fstat(2).
 * @returns undefined for anything else than such a pipe
 */
function pipeBehind(descriptor: Fd): { readonly uid: number; readonly inode: number } | undefined {
  if (!ANONYMOUS_PIPE.test(readlinkSync(`/proc/self/fd/${descriptor}`))) return undefined;
  const { uid, ino } = fstatSync(descriptor);
  return { uid, inode: ino };
}

/**
 * Holds a stream that is an anonymous pipe, and that this shim itself has open in the stream's direction. If root opens
 * it again, the account gets nothing new. The pipe's owner proves no more, because a guarded pipe is root's.
 * @returns undefined if it is no such pipe
 * @throws Node's own error if the shim has no such descriptor
 */
export function holdPipe(shim: Holds, stream: Fd, uid: number): { descriptor: Fd; uid: number } | undefined {
  const descriptor = shim.hold(stream);
  const pipe = pipeBehind(descriptor);
  // fdinfo has the inode too, and a file put there meanwhile has another one
  const file = openFileIn(shim.fdinfo(stream));
  const isOpen =
    pipe !== undefined &&
    file?.inode === pipe.inode &&
    isOpenFor(file, stream === 0 ? constants.O_RDONLY : constants.O_WRONLY);
  if (isOpen && (pipe.uid === uid || pipe.uid === ROOT)) return { descriptor, uid: pipe.uid };
  closeSync(descriptor);
  return undefined;
}

/**
 * Makes the pipes of a new shim root's. Processes that have them open can still use them. From then on no other process
 * of the account can open them through /proc, to write to this client or to ask in its name.
 * @param uid the account's; only a pipe of this account is changed
 */
export function guardStreams(shim: Holds, uid: number): void {
  for (const stream of STREAMS) {
    try {
      const descriptor = shim.hold(stream);
      try {
        // fchown(2) refuses a descriptor of O_PATH
        if (pipeBehind(descriptor)?.uid === uid) chownSync(`/proc/self/fd/${descriptor}`, ROOT, ROOT);
      } finally {
        closeSync(descriptor);
      }
    } catch {
      // no such stream, or the shim has ended
    }
  }
}

/**
 * systemd opens the streams of a service by name, as root. It gets only files that the shim has open itself: an
 * anonymous pipe, which sshd makes, or this host's /dev/null. Both are identified by the held descriptor, because the
 * shim, or a thread of its account, may replace the file at any time.
 * @param uid the account's
 * @throws ScopeUnavailable
 */
export function holdStreams(shim: Holds, uid: number): HeldStreams {
  const held: Fd[] = [];
  const close = () => {
    for (const descriptor of held) closeSync(descriptor);
  };
  try {
    const paths = STREAMS.map((stream) => {
      const pipe = holdPipe(shim, stream, uid);
      // the /dev/null of this host, by its name
      if (pipe === undefined && leadsTo(shim, stream) === "/dev/null") return "/dev/null";
      if (pipe === undefined)
        throw new ScopeUnavailable(`stream ${stream} is not a pipe made by sshd, which a confined command needs`);
      held.push(pipe.descriptor);
      return `/proc/${process.pid}/fd/${pipe.descriptor}`;
    });
    return { paths: paths as [string, string, string], close };
  } catch (error) {
    close();
    throw error instanceof ScopeUnavailable ? error : new ScopeUnavailable("the shim has ended", error);
  }
}

function leadsTo(shim: Holds, stream: Fd): string {
  const descriptor = shim.hold(stream);
  try {
    return readlinkSync(`/proc/self/fd/${descriptor}`);
  } finally {
    closeSync(descriptor);
  }
}
