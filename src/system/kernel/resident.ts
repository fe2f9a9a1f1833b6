import { closeSync, constants, openSync, readFileSync, renameSync, writeFileSync, writeSync } from "node:fs";
import { toFd, toPid } from "../../units/ids.ts";
import { inside, O_PATH } from "../files/safe-folder.ts";
import { sleep } from "./clock.ts";
import { readKernelFile, removeIfThere } from "./kernel-files.ts";
import { randomBytes } from "./machine.ts";
import { commandOf } from "./process-kind.ts";

/** The FIFO for root's commands to the resident supervisor, and the file with the pid of the running supervisor. */
const CONTROL = "/run/nixgate/_control";
export const READY = "/run/nixgate/_ready";
/** The supervisor's answer to `serving`: the token of the question, then one session a line. Only root can read it. */
const SERVING = "/run/nixgate/_serving";
/** The timeout for the supervisor's answer, in milliseconds. */
const ANSWERS_WITHIN_MS = 5000;
const LOOK_AGAIN_MS = 20;

/** Whether the resident supervisor runs. */
export function residentIsThere(): boolean {
  const pid = toPid(Number(readKernelFile(READY)));
  if (!(pid > 0)) return false;
  try {
    const folderFd = toFd(openSync(`/proc/${pid}`, O_PATH | constants.O_DIRECTORY));
    const command = commandOf(inside(folderFd, "."));
    closeSync(folderFd);
    return command === "supervise" || command === "hidden";
  } catch {
    return false;
  }
}

/** Writes one line into the control FIFO. systemd holds it open, so that this does not wait for a reader. */
export function tellResident(line: string): void {
  const fifo = toFd(openSync(CONTROL, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW));
  try {
    writeSync(fifo, `${line}\n`);
  } finally {
    closeSync(fifo);
  }
}

/** The supervisor's knowledge of sessions without an end. */
export interface Serving {
  /** The sessions that it serves. */
  readonly served: readonly string[];
  /** The ended sessions whose last records wait for room on the disk. */
  readonly late: readonly string[];
}

/** @throws Node's own error where /run has no room for it */
export function answerServing(word: string, { served, late }: Serving): void {
  const lines = [word, ...served.map((one) => `served ${one}`), ...late.map((one) => `late ${one}`)];
  try {
    writeFileSync(`${SERVING}.new`, `${lines.join("\n")}\n`, { mode: 0o600 });
    renameSync(`${SERVING}.new`, SERVING);
  } catch (error) {
    removeIfThere(`${SERVING}.new`);
    throw error;
  }
}

/**
 * Asks the supervisor, which then also writes its waiting records.
 * @returns undefined where it does not answer in time
 */
export async function askServing(): Promise<Serving | undefined> {
  const word = Buffer.from(randomBytes(8)).toString("hex");
  tellResident(`serving ${word}`);
  for (let waited = 0; waited < ANSWERS_WITHIN_MS; waited += LOOK_AGAIN_MS) {
    await sleep(LOOK_AGAIN_MS);
    const [first, ...lines] = textOf(SERVING).split("\n");
    if (first !== word) continue;
    const of = (kind: string) => lines.filter((line) => line.startsWith(kind)).map((line) => line.slice(kind.length));
    return { served: of("served "), late: of("late ") };
  }
  return undefined;
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
