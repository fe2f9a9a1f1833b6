import { spawnSync } from "node:child_process";
import { closeSync, constants, fstatSync, openSync, writeSync } from "node:fs";
import type { Client, Interruption } from "../session/ports.ts";
import { clock } from "../system/kernel/clock.ts";
import { isStopped, stoppedTooLong } from "../system/session/stopped-parent.ts";
import { type Fd, type Pid, toFd } from "../units/ids.ts";
import type { Milliseconds } from "../units/quantities.ts";
import { watchReader } from "./stdout-reader.ts";

const STDOUT = toFd(1);
const STDERR = toFd(2);
/** The timeout for a client that does not read, in milliseconds. */
const PATIENCE_TIMEOUT_MS = 1000;
/** The timeout for a shell that writes to a socket with room, in milliseconds. */
const SOCKET_MS = 250;
/** The time after SIGHUP in which a SIGTERM is expected, in milliseconds. */
const HANGUP_ALONE_MS = 50;
/** The pause between two attempts, in milliseconds. */
const PAUSE_MS = 10;
/**
 * The client at the other end of fds 0 to 2. Without a terminal sshd sends no signal when it loses its client
 * (session_close_by_channel of OpenSSH). Its pipes close; where the whole connection is lost, this process's parent
 * ends too.
 * @param parent the parent process at nixgate's start
 * @param grace `client_gone_grace`: the client is checked several times within it
 */
export function clientOf(parent: Pid, grace: Milliseconds): Client {
  // Node compares each socket that ends with process.stderr (Socket.prototype._destroy in lib/net.js), and that access
  // makes a stream of fd 2. The stream sets O_NONBLOCK on the open file that the command shares, whose writes then
  // fail.
  Object.defineProperty(process, "stderr", { value: undefined });
  const latency = Math.min(1000, Math.max(50, grace / 4)) as Milliseconds;
  let readerIsGone: (() => boolean) | undefined;
  const isLost = stoppedTooLong(
    {
      isStopped: () => process.ppid === parent && isStopped(parent),
      goOn: () => continueParent(parent),
    },
    grace,
  );
  const isGone = () => isLost() || process.ppid !== parent || readerIsGone?.() === true;
  const watchers = new Set<(event: Interruption) => void>();
  let happened: Interruption | undefined;
  const happen = (event: Interruption) => {
    happened ??= event;
    for (const watcher of watchers) watcher(event);
  };
  // The kernel delivers SIGHUP before SIGTERM, and logind stops a session with both (SendSIGHUP=).
  process.on("SIGHUP", () => void setTimeout(happen, HANGUP_ALONE_MS, "client-gone"));
  for (const signal of ["SIGTERM", "SIGINT"] as const) process.on(signal, () => happen("killed-by-admin"));

  return {
    latency,
    isGone,
    tell: tellOwnClient,
    tellNow: (line) => say(STDERR, `${line}\n`, 0),
    answerStarted: () => void say(STDOUT, "started\n", PATIENCE_TIMEOUT_MS),
    watch(callback) {
      watchers.add(callback);
      const timer = setInterval(() => {
        readerIsGone ??= watchReader((latency / 2) as Milliseconds); // only now: most commands end sooner
        if (isGone()) happen("client-gone");
      }, latency);
      if (happened) callback(happened);
      return () => {
        clearInterval(timer);
        watchers.delete(callback);
      };
    },
  };
}

function continueParent(pid: Pid): void {
  try {
    process.kill(pid, "SIGCONT");
  } catch {
    // it has ended, or belongs to another account
  }
}

/** Writes a line to the client's stderr. The timeout for a client that does not read is one second. */
export const tellOwnClient = (line: string): void => void say(STDERR, `${line}\n`, PATIENCE_TIMEOUT_MS);

/**
 * Writes a line to a client that may not read. It uses its own non-blocking open file, so that a pipe filled by the
 * command cannot delay nixgate, and the flags of the command's open file do not change. A socket cannot be reopened: a
 * separate process writes to it, with a timeout.
 * @param timeout for a full pipe, in milliseconds
 * @returns whether all of the text is on its way
 */
function say(fd: Fd, text: string, timeout: number): boolean {
  if (isSocket(fd)) {
    const options = { ...ALONE, timeout: Math.max(timeout, SOCKET_MS) };
    const { status } = spawnSync("/bin/sh", WRITE_OUT(text), { ...options, stdio: ["ignore", fd, "ignore"] });
    return status === 0;
  }
  const own = openOwn(fd);
  const bytes = Buffer.from(text);
  const deadline = clock.monotonic() + timeout;
  try {
    for (let at = 0; at < bytes.length; ) {
      try {
        at += writeSync(own ?? fd, bytes, at);
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== "EAGAIN" || clock.monotonic() >= deadline) return false;
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, PAUSE_MS);
      }
    }
    return true;
  } finally {
    if (own !== undefined) closeSync(own);
  }
}

const WRITE_OUT = (text: string) => ["-c", 'printf %s "$1"', "sh", text];
const ALONE = { cwd: "/", env: {}, killSignal: "SIGKILL" } as const;

function isSocket(fd: Fd): boolean {
  try {
    return fstatSync(fd).isSocket();
  } catch {
    return false; // closed
  }
}

/** Opens the same pipe again; undefined for anything else: two open files of one file have different offsets. */
function openOwn(fd: Fd): Fd | undefined {
  try {
    return fstatSync(fd).isFIFO() ? openPipeForWriting(fd) : undefined;
  } catch {
    return undefined;
  }
}

function openPipeForWriting(fd: Fd): Fd {
  return toFd(openSync(`/proc/self/fd/${fd}`, constants.O_WRONLY | constants.O_NONBLOCK));
}
