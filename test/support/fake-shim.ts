import { constants, existsSync, openSync, readFileSync } from "node:fs";
import type { Ask } from "../../src/supervisor/shim/shim-channel.ts";
import type { ShimProcess } from "../../src/supervisor/shim/shim-process.ts";
import { toFd, toPid } from "../../src/units/ids.ts";

/** O_PATH of open(2), which Node does not name. */
const O_PATH = 0o10000000;
/** The status of a shim without an answer, and after the answer `wait` (docs/protocol.md). */
const BUSY = 75;

/** What a shim does at the moment. */
type Doing = "waits" | "runs" | "reads" | "ended";

export interface FakeShim extends ShimProcess {
  /** Stops after its first line, with which the channel is opened. */
  comes(): void;
  readonly doing: () => Doing;
  /** The status with which it ended; undefined while it exists or if a signal ended it. */
  readonly status: () => number | undefined;
  /** The texts of the answers that it carried out, in order. */
  readonly answers: readonly string[];
  /** The signals that it received, in order. */
  readonly signals: readonly NodeJS.Signals[];
  /** Its command ends with this status, and it asks for the next answer. */
  commandEnds(status: number): void;
  /** `nixgate read-request` has read this, and becomes the shim again. */
  lineIsRead(word: string): void;
}

/**
 * A shim as a value, which follows docs/protocol.md: it asks and stops, carries out each answer once, and asks again
 * where it finds none.
 * @param folder the folder of its answers
 * @param send takes its lines, as the FIFO does: later, and without its pid
 */
export function fakeShim(folder: string, send: (ask: Ask) => void, parts: Partial<ShimProcess> = {}): FakeShim {
  const pid = parts.pid ?? toPid(4711);
  const answers: string[] = [];
  const signals: NodeJS.Signals[] = [];
  let words: readonly string[] = ["alpha", "ci"];
  let doing: Doing = "waits";
  let isStopped = false;
  let number = 1;
  let status: number | undefined;
  let exit: number | undefined;
  let isHit = false;
  let givesUp = false;

  const ask = () => {
    const line = { number, status, ...(isHit && { isHit }) };
    doing = "waits";
    isStopped = true;
    setImmediate(() => send(line));
  };
  const end = (code?: number) => {
    doing = "ended";
    isStopped = false;
    exit = code;
  };
  const carryOut = (text: string) => {
    answers.push(text);
    number += 1;
    isHit = false;
    status = undefined;
    const last = text.trimEnd().split("\n").at(-1) ?? "";
    const code = /^exit (\d+)$/.exec(last)?.[1];
    if (code !== undefined) return end(Number(code));
    if (/^exec .* read-request /.test(last)) doing = "reads";
    else if (last === `(exit ${BUSY})`) {
      status = BUSY;
      ask();
    } else doing = "runs";
  };
  const goOn = () => {
    if (!isStopped) return;
    isStopped = false;
    if (givesUp) return end(BUSY);
    const answer = `${folder}/${pid}-${number}`;
    if (existsSync(answer)) carryOut(readFileSync(answer, "utf8"));
    else ask(); // it was continued before its answer existed
  };
  return {
    pid,
    startedTicks: 1,
    parent: toPid(1),
    parentNow: () => toPid(1),
    cgroup: "/",
    environment: async () => new Map(),
    words: async () => words,
    hold: () => toFd(openSync("/dev/null", O_PATH | constants.O_RDONLY)),
    fdinfo: () => "",
    isThere: () => doing !== "ended",
    state: () => (doing === "ended" ? "gone" : isStopped ? "stopped" : "running"),
    hasChild: () => doing === "runs",
    signal(name) {
      if (doing === "ended") return;
      signals.push(name);
      if (name === "SIGKILL") end();
      if (name === "SIGUSR2") givesUp = true;
      if (name === "SIGTERM" && doing === "reads") end();
      if (name === "SIGTERM" && doing === "runs") isHit = true;
      if (name === "SIGCONT") goOn();
    },
    close: () => undefined,
    ...parts,
    comes() {
      isStopped = true;
    },
    doing: () => doing,
    status: () => exit,
    answers,
    signals,
    commandEnds(code) {
      status = code;
      ask();
    },
    lineIsRead(word) {
      words = ["alpha", "ci", String(number), word];
      ask();
    },
  };
}
