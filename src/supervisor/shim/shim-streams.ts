import { closeSync, fstatSync, readlinkSync } from "node:fs";
import { ScopeUnavailable } from "../../session/scope-unavailable.ts";
import type { ShimProcess } from "./shim-process.ts";

/** The client's streams of a shim, held so that systemd can open them for a service. */
export interface HeldStreams {
  /** Of stdin, stdout and stderr: below the /proc of this process, where nobody else can put another in their place. */
  readonly paths: readonly [string, string, string];
  close(): void;
}

/** bin/nixgate-shim keeps the client's stderr as fd 3. */
const STREAMS = [0, 1, 3] as const;
/** /dev/null, by its number (Documentation/admin-guide/devices.txt). */
const NULL_DEVICE = 0x103;
/** What the kernel calls a pipe that has no name in any file system (pipe(7)); a name begins with a slash. */
const ANONYMOUS_PIPE = /^pipe:\[\d+\]$/;

/**
 * systemd opens the streams of a service by name, as root. So it is given nothing that its account could not open itself:
 * an anonymous pipe of the account's own, which sshd's process for the session makes as that account, or this host's
 * /dev/null. Both are read from the held descriptor alone: the shim, or a thread of its account's, may put another file
 * in its place at any time.
 * @param uid the account's
 * @throws ScopeUnavailable
 */
export function holdStreams(shim: Pick<ShimProcess, "hold">, uid: number): HeldStreams {
  const held: number[] = [];
  const close = () => {
    for (const descriptor of held) closeSync(descriptor);
  };
  try {
    const paths = STREAMS.map((stream) => {
      const descriptor = shim.hold(stream);
      held.push(descriptor);
      const file = fstatSync(descriptor);
      if (file.isCharacterDevice() && file.rdev === NULL_DEVICE) return "/dev/null";
      const isPipe = file.isFIFO() && ANONYMOUS_PIPE.test(readlinkSync(`/proc/self/fd/${descriptor}`));
      if (!isPipe || file.uid !== uid)
        throw new ScopeUnavailable(`stream ${stream} is no pipe of sshd's, which a confined command needs`);
      return `/proc/${process.pid}/fd/${descriptor}`;
    });
    return { paths: paths as [string, string, string], close };
  } catch (error) {
    close();
    throw error instanceof ScopeUnavailable ? error : new ScopeUnavailable("the shim is gone", error);
  }
}
