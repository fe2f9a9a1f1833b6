import { type ChildProcess, spawn } from "node:child_process";
import type { Duplex } from "node:stream";
import type { Exit } from "../ending/ending.ts";
import type { Plan } from "../scope/plan.ts";
import { ScopeUnavailable } from "../session/scope-unavailable.ts";
import { clock, within } from "../system/kernel/clock.ts";
import { signalAll } from "../system/kernel/signals.ts";
import { type Pid, toPid } from "../units/ids.ts";

/** The timeout of systemd for making a scope, in milliseconds. */
const START_TIMEOUT_MS = 20_000;
/** The timeout of the holder's exit after its release, in milliseconds. */
const RELEASE_TIMEOUT_MS = 1000;
/** The timeout of the holder's answer about its signal, in milliseconds. */
const HIT_TIMEOUT_MS = 500;
/** The number of bytes kept of the messages of systemd-run or prlimit. */
const WORDS_KEPT = 4096;

/** The holder has started and waits for a message. */
export interface Launched {
  readonly openedAt: number;
  readonly pid: Pid;
  readonly holder: Pid;
  /** The last messages of systemd-run or prlimit on stderr until then. */
  readonly words: string;
  readonly exited: Promise<Exit>;
  /** Starts the command. */
  begin(): void;
  /**
   * The signal that the holder received with its whole scope; empty where there was none, undefined where it does not
   * answer.
   */
  hit(): Promise<string | undefined>;
  /** Releases the holder. Settles when it is gone. */
  release(): Promise<void>;
}

/**
 * Starts the plan's command line with fds 0 and 1 of this process unchanged, and waits until the holder reports. The
 * holder uses the other fds, see bin/nixgate-holder. The child has a session of its own (setsid(2)), so that a signal
 * to one process group does not reach the other.
 *
 * Node compiles each function of its streams at the first call, which is much of a short session's time. Hence there is
 * only one socket, and messages on it where its end would also do.
 * @throws ScopeUnavailable
 */
export function launch(plan: Plan): Promise<Launched> {
  const [file, ...args] = plan.commandLine;
  const openedAt = clock.monotonic();
  const child = spawn(file, args, { env: plan.environment, stdio: [0, 1, "pipe", 2], detached: true });
  const channel = child.stdio?.[2] as unknown as Duplex | undefined;
  if (channel === undefined) return notStarted(file, child);
  channel.on("error", () => undefined); // the holder may go at any time; the command's end shows the cause
  const command = child.pid === undefined ? undefined : toPid(child.pid);
  const exited = exitOf(child);
  return new Promise((resolve, reject) => {
    const giveUp = (message: string, cause?: unknown) => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      channel.destroy();
      reject(new ScopeUnavailable(message, cause));
    };
    const timer = setTimeout(
      () => giveUp(`${file} made no scope within ${START_TIMEOUT_MS / 1000} s`),
      START_TIMEOUT_MS,
    );
    child.once("error", (error) => giveUp(`${file} cannot be started`, error));
    const heard = listenToHolder(channel, command, (words, pid, holder) => {
      clearTimeout(timer);
      const letGo = () => {
        channel.write("done\n");
        // another process of the account may have stopped it
        const tooLong = setTimeout(() => signalAll([holder], "SIGKILL"), RELEASE_TIMEOUT_MS);
        return heard.gone.then(() => clearTimeout(tooLong));
      };
      let released: Promise<void> | undefined;
      resolve({
        ...{ openedAt, pid, holder, words, exited },
        begin: () => void channel.write("go\n"),
        hit() {
          channel.write("hit\n");
          return within(HIT_TIMEOUT_MS, heard.hit(), undefined);
        },
        release() {
          released ??= letGo();
          return released;
        },
      });
    });
    exited.then((exit) => {
      if (heard.isReady()) return;
      const fail = () => giveUp(failure(file, exit, heard.text()));
      // systemd-run's own messages may still arrive
      if (channel.closed) fail();
      else channel.once("close", fail);
    });
  });
}

/**
 * Without a free descriptor for a pipe, spawn() returns a child without streams, and reports the reason a moment later.
 */
function notStarted(file: string, child: ChildProcess): Promise<never> {
  return new Promise((_, reject) => {
    child.once("error", (error) => reject(new ScopeUnavailable(`${file} cannot be started: ${error.message}`, error)));
  });
}

/** Reads the channel: messages of systemd-run or prlimit, then the holder's "ready", and "gone" after its release. */
function listenToHolder(
  channel: Duplex,
  command: Pid | undefined,
  ready: (words: string, command: Pid, holder: Pid) => void,
) {
  const report = new RegExp(`ready (${command}) (\\d+)\n$`); // exec(2) keeps the pid of the started process
  let bytes: Uint8Array = new Uint8Array();
  let isReady = false;
  let answerHit: (signal: string | undefined) => void = () => {};
  const text = () => Buffer.from(bytes).toString("utf8");
  const gone = new Promise<void>((resolve) => {
    channel.once("close", () => resolve()); // the holder was killed
    channel.on("data", (more: Buffer) => {
      bytes = Buffer.concat([bytes, more]).subarray(-WORDS_KEPT);
      const said = text();
      if (isReady) {
        const hit = /hit ([A-Z]*)\n$/.exec(said)?.[1];
        if (hit !== undefined) answerHit(hit);
        if (said.endsWith("gone\n")) resolve();
        return;
      }
      const found = report.exec(said);
      if (!found) return;
      isReady = true;
      ready(said.slice(0, found.index), toPid(Number(found[1])), toPid(Number(found[2])));
    });
  });
  const hit = () =>
    new Promise<string | undefined>((resolve) => {
      answerHit = resolve;
      channel.once("close", () => resolve(undefined));
    });
  return { gone, text, hit, isReady: () => isReady };
}

function exitOf(child: ChildProcess): Promise<Exit> {
  return new Promise((resolve) => {
    child.once("exit", (code, signal) => resolve(signal === null ? { code: code ?? 0 } : { signal }));
  });
}

function failure(file: string, exit: Exit, words: string): string {
  const said = words.trim().split("\n").at(-1) ?? "";
  const how = exit.signal === undefined ? `status ${exit.code}` : exit.signal;
  return said === "" ? `${file} failed with ${how}` : `${file} failed with ${how}: ${said}`;
}
