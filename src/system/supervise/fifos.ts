import { fstatSync } from "node:fs";
import { Socket } from "node:net";

/** The first descriptor that systemd passes (sd_listen_fds(3)). */
const LISTEN_FDS_START = 3;
/** Lines of one FIFO that are kept; beyond that nothing is read until they are done, and its writers wait. */
const MOST_LINES = 1000;
/** Longest line that is taken, in characters; what does not fit is no line of a front's. */
const LONGEST_LINE = 64;

/** A FIFO that systemd holds open for us. */
export interface Fifo {
  /** FileDescriptorName= of its socket unit. */
  readonly name: string;
  readonly descriptor: number;
  /** Its owner, who alone may write into it. */
  readonly uid: number;
  readonly gid: number;
}

/** The FIFOs that systemd has passed to this process, by sd_listen_fds(3). */
export function passedFifos(environment: NodeJS.ProcessEnv, pid: number): readonly Fifo[] {
  if (environment["LISTEN_PID"] !== String(pid)) return [];
  const names = (environment["LISTEN_FDNAMES"] ?? "").split(":");
  return Array.from({ length: Number(environment["LISTEN_FDS"]) || 0 }, (_, index) => {
    const descriptor = LISTEN_FDS_START + index;
    const { uid, gid } = fstatSync(descriptor);
    return { name: names[index] ?? "", descriptor, uid, gid };
  });
}

/** The teams whose accounts have one group, which reads the answers of all; by name, since systemd passes FIFOs in any order. */
export function sharingGroups(fifos: readonly Pick<Fifo, "name" | "gid">[]): readonly (readonly string[])[] {
  const groups = Map.groupBy(fifos, ({ gid }) => gid);
  return [...groups.values()].filter(({ length }) => length > 1).map((group) => group.map(({ name }) => name).sort());
}

/**
 * Reads lines from all FIFOs, one of each in turn, so that a flood in one of them does not keep the others waiting.
 * A writer's one write(2) below PIPE_BUF is whole (pipe(7)); half a line ends with the empty line in front of the next.
 */
export function readInTurn(fifos: readonly Fifo[], take: (fifo: Fifo, line: string) => void): { stop(): void } {
  const queues = fifos.map((fifo) => openQueue(fifo, () => void schedule()));
  let scheduled = false;
  const turn = () => {
    scheduled = false;
    for (const queue of queues) {
      const line = queue.shift();
      if (line !== undefined) take(queue.fifo, line);
    }
    if (queues.some((queue) => queue.waiting())) schedule();
  };
  const schedule = () => {
    if (!scheduled) setImmediate(turn);
    scheduled = true;
  };
  return {
    stop() {
      for (const queue of queues) queue.stop();
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
