import { type ChildProcess, spawn } from "node:child_process";
import type { Duplex, Readable, Writable } from "node:stream";
import type { Exit } from "../ending/ending.ts";
import type { Plan } from "../scope/plan.ts";
import { ScopeUnavailable } from "../session/scope-unavailable.ts";
import { clock } from "./clock.ts";

/** How long systemd may take to make a scope, in milliseconds. */
const START_TIMEOUT_MS = 20_000;
/** How much of what the limits' program says is kept, in characters. */
const WORDS_KEPT = 4096;

/** The holder stands and waits for its word. */
export interface Launched {
  readonly openedAt: number;
  readonly pid: number;
  readonly holder: number;
  /** What systemd-run or prlimit said on stderr until then. */
  readonly words: string;
  readonly exited: Promise<Exit>;
  /** Lets the command begin. */
  begin(): void;
  /** Lets the holder go. Settles when it is gone. */
  release(): Promise<void>;
}

/**
 * Starts the plan's command line with fds 0, 1 and 2 of this process passed on as they are, and waits until the holder
 * reports. The other fds are the holder's, see bin/nixgate-holder. A session of its own (setsid(2)) keeps a signal to
 * the process group of either from reaching the other.
 * @throws ScopeUnavailable
 */
export function launch(plan: Plan): Promise<Launched> {
  const [file, ...args] = plan.commandLine;
  const openedAt = clock.monotonic();
  const child = spawn(file, args, {
    env: plan.environment,
    stdio: [0, 1, "pipe", "pipe", "pipe", 2],
    detached: true,
  });
  const [, , stderr, start, holder] = child.stdio as unknown as [null, null, Readable, Writable, Duplex];
  // Either may be gone at any time; the command's end tells how.
  for (const stream of [start, holder]) stream.on("error", () => undefined);
  return new Promise((resolve, reject) => {
    let words = "";
    let reported = "";
    const giveUp = (message: string, cause?: unknown) => {
      clearTimeout(timer);
      child.kill("SIGKILL");
      for (const stream of [start, holder]) stream.destroy();
      reject(new ScopeUnavailable(message, cause));
    };
    const timer = setTimeout(
      () => giveUp(`${file} made no scope within ${START_TIMEOUT_MS / 1000} s`),
      START_TIMEOUT_MS,
    );
    stderr.setEncoding("utf8").on("data", (text: string) => {
      words = (words + text).slice(0, WORDS_KEPT);
    });
    child.once("error", (error) => giveUp(`${file} cannot be started`, error));
    const exited = exitOf(child);
    const holderGone = new Promise<void>((done) => void holder.once("close", () => done()));
    exited.then((exit) => {
      if (reported.endsWith("\n")) return;
      const fail = () => giveUp(failure(file, exit, words));
      // its own words may still be on their way
      if (stderr.closed) fail();
      else stderr.once("close", fail);
    });
    holder.setEncoding("utf8").on("data", (text: string) => {
      reported += text;
      const [, command, held] = /^ready (\d+) (\d+)\n$/.exec(reported) ?? [];
      if (command === undefined) return;
      clearTimeout(timer);
      resolve({
        openedAt,
        pid: Number(command),
        holder: Number(held),
        words,
        exited,
        begin: () => void start.end("go\n"),
        release() {
          // A command that was never begun waits for its word, and has the holder's end of the leash open meanwhile.
          if (!start.writableEnded) start.end();
          holder.end("done\n");
          return holderGone;
        },
      });
    });
  });
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
