import { closeSync, fstatSync } from "node:fs";
import { ScopeUnavailable } from "../../session/scope-unavailable.ts";
import type { Front } from "./front.ts";

/** The client's streams of a front, held so that systemd can open them for a service. */
export interface HeldStreams {
  /** Of stdin, stdout and stderr: below the /proc of this process, where nobody else can put another in their place. */
  readonly paths: readonly [string, string, string];
  close(): void;
}

/** bin/nixgate-front keeps the client's stderr as fd 3. */
const STREAMS = [0, 1, 3] as const;
/** O_ACCMODE of open(2). */
const ACCESS = 3;
const READ_ONLY = 0;
const WRITE_ONLY = 1;
/** /dev/null, by its number (Documentation/admin-guide/devices.txt). */
const NULL_DEVICE = 0x103;

/**
 * systemd opens the streams of a service by name, as root: only what the front itself has open that way may be opened
 * again, and nothing but pipes, which sshd gives a session without a terminal, and /dev/null.
 * @throws ScopeUnavailable
 */
export function holdStreams(front: Front): HeldStreams {
  const held: number[] = [];
  const close = () => {
    for (const descriptor of held) closeSync(descriptor);
  };
  try {
    const paths = STREAMS.map((stream) => {
      const { descriptor, access, inode } = front.hold(stream);
      held.push(descriptor);
      const file = fstatSync(descriptor);
      const isSafe = file.isFIFO() || (file.isCharacterDevice() && file.rdev === NULL_DEVICE);
      const wrongWay = stream === 0 ? WRITE_ONLY : READ_ONLY;
      if (!isSafe || (access & ACCESS) === wrongWay || (inode !== undefined && inode !== file.ino))
        throw new ScopeUnavailable(`stream ${stream} is no pipe of sshd's, which a confined command needs`);
      return `/proc/${process.pid}/fd/${descriptor}`;
    });
    return { paths: paths as [string, string, string], close };
  } catch (error) {
    close();
    throw error instanceof ScopeUnavailable ? error : new ScopeUnavailable("the front is gone", error);
  }
}
