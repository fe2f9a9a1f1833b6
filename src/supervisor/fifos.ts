import { fstatSync } from "node:fs";
import { Socket } from "node:net";
import { clock } from "../system/kernel/clock.ts";
import { type Fd, type Pid, toFd } from "../units/ids.ts";

/** The first descriptor that systemd passes (sd_listen_fds(3)). */
const LISTEN_FDS_START = 3;
/** The maximum number of lines kept of one FIFO. At the maximum the supervisor stops reading, and the writers wait. */
const MOST_LINES = 1000;
/** The longest line of a shim, in characters. Longer lines are cut, and match no message. */
const LONGEST_LINE = 64;

/** The name of the FIFO through which root ends a session: `kill PID TEAM`. */
export const CONTROL = "_control";

/** A FIFO that systemd holds open for this process. */
export interface Fifo {
  /** FileDescriptorName= of its socket unit. */
  readonly name: string;
  readonly descriptor: Fd;
  /** The team's account. The FIFO is root's, so the account can neither change its mode nor read from it. */
  readonly uid: number;
  /** The FIFO's group, which is the account's primary group. Only this group may write. */
  readonly gid: number;
}

/**
 * The FIFOs that systemd has passed to this process, by sd_listen_fds(3).
 * @param accountIn the uid of a FIFO's account, from the FIFO's name and group, which the account cannot change
 * @param unserved called with the name of each FIFO without an account, which is left out
 */
export function passedFifos(
  environment: NodeJS.ProcessEnv,
  pid: Pid,
  accountIn: (name: string, gid: number) => number | undefined,
  unserved: (name: string) => void,
): readonly Fifo[] {
  if (environment["LISTEN_PID"] !== String(pid)) return [];
  const names = (environment["LISTEN_FDNAMES"] ?? "").split(":");
  return Array.from({ length: Number(environment["LISTEN_FDS"]) || 0 }, (_, index) => index).flatMap((index) => {
    const descriptor = toFd(LISTEN_FDS_START + index);
    const name = names[index] ?? "";
    const { gid } = fstatSync(descriptor);
    const uid = name === CONTROL ? 0 : accountIn(name, gid);
    if (uid === undefined) unserved(name);
    return uid === undefined ? [] : [{ name, descriptor, uid, gid }];
  });
}

/**
 * The teams whose accounts share a primary group, which can read the answers of all of them. Sorted by name, because
 * systemd passes FIFOs in any order.
 */
export function sharingGroups(fifos: readonly Pick<Fifo, "name" | "gid">[]): readonly (readonly string[])[] {
  const groups = Map.groupBy(fifos, ({ gid }) => gid);
  return [...groups.values()].filter(({ length }) => length > 1).map((group) => group.map(({ name }) => name).sort());
}

/**
 * The share of the supervisor's time for the lines of one FIFO, and the longest time that they may take without a
 * break.
 */
const SHARE = 1 / 4;
const AT_ONCE_MS = 50;
/** The pause when the lines of all FIFOs have used up their time. */
const REST_MS = 5;

interface Pace {
  /** Whether lines of this FIFO must wait for now. */
  isFull(fifo: Fifo): boolean;
  /** Called when lines of a FIFO wait because earlier lines used up its share of time. */
  rests(fifo: Fifo): void;
}

/**
 * Reads lines from all FIFOs, one of each in turn, so that a flood in one FIFO does not delay the others. A FIFO whose
 * lines take long is read later, and the others continue. So is a FIFO whose last line is not taken yet. One write(2) below PIPE_BUF is atomic (pipe(7)). The empty
 * line before the next message ends an incomplete line.
 */
export function readInTurn(
  fifos: readonly Fifo[],
  take: (fifo: Fifo, line: string) => void | Promise<void>,
  { isFull, rests }: Pace = { isFull: () => false, rests: () => {} },
  now: () => number = clock.monotonic,
): { stop(): void } {
  const queues = fifos.map((fifo) => ({
    ...openQueue(fifo, () => schedule()),
    credit: creditOf(now()),
    isTaking: false,
  }));
  let soon = false;
  let stopped = false;
  let later: NodeJS.Timeout | undefined;
  const turn = () => {
    soon = false;
    clearTimeout(later);
    later = undefined;
    let at = now();
    const isReady = (queue: (typeof queues)[number]) => !isFull(queue.fifo) && queue.credit.isLeft(at);
    for (const queue of queues) {
      if (!queue.waiting() || queue.isTaking) continue;
      if (!queue.credit.isLeft(at)) rests(queue.fifo);
      if (!isReady(queue)) continue;
      const line = queue.shift();
      const taken = line === undefined ? undefined : take(queue.fifo, line);
      if (taken !== undefined) {
        queue.isTaking = true;
        void taken.finally(() => {
          queue.isTaking = false;
          if (!stopped) schedule();
        });
      }
      const began = at;
      at = now();
      queue.credit.spend(at - began);
    }
    const waiting = queues.filter((queue) => queue.waiting() && !queue.isTaking);
    if (waiting.length > 0) schedule(waiting.some(isReady) ? 0 : REST_MS);
  };
  const schedule = (wait = 0) => {
    if (soon) return;
    if (wait > 0) {
      later ??= setTimeout(turn, wait);
      return;
    }
    soon = true;
    setImmediate(turn);
  };
  return {
    stop() {
      stopped = true;
      clearTimeout(later);
      for (const queue of queues) queue.stop();
    },
  };
}

/** The time left for a FIFO. It grows by `SHARE` of the elapsed time, up to `AT_ONCE_MS`. */
function creditOf(since: number) {
  let left = AT_ONCE_MS;
  let at = since;
  return {
    isLeft(now: number) {
      const passed = now - at;
      at = now;
      left = Math.min(AT_ONCE_MS, left + passed * SHARE);
      return left > 0;
    },
    spend(ms: number) {
      left -= ms;
    },
  };
}

function openQueue(fifo: Fifo, filled: () => void) {
  const lines: string[] = [];
  let rest = "";
  const socket = new Socket({ fd: fifo.descriptor, readable: true, writable: false });
  socket.setEncoding("latin1").on("data", (text: string) => {
    const parts = (rest + text).split("\n");
    rest = (parts.pop() ?? "").slice(0, LONGEST_LINE);
    for (const line of parts) if (line !== "") lines.push(line.slice(0, LONGEST_LINE));
    if (lines.length > MOST_LINES) socket.pause();
    filled();
  });
  return {
    fifo,
    waiting: () => lines.length > 0,
    shift() {
      const line = lines.shift();
      if (socket.isPaused() && lines.length === 0) socket.resume();
      return line;
    },
    stop: () => void socket.destroy(),
  };
}
