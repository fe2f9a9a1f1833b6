import type { Said } from "../../session/shim-answers.ts";
import { clock, sleep } from "../../system/kernel/clock.ts";
import type { Milliseconds } from "../../units/quantities.ts";
import { poll } from "../poll.ts";
import { holdRoom } from "./answer-room.ts";
import type { ShimProcess } from "./shim-process.ts";

/** A shim's line in its FIFO, without its pid. */
export interface Ask {
  /** The number of the answer that it asks for, from 1. */
  readonly number: number;
  /** The exit status of the last answer's command. */
  readonly status: number | undefined;
  /** Whether the shim received a signal meanwhile that nixgate sends it only at the very end. */
  readonly isHit?: boolean;
}

/** The number of the answer that a new shim asks for. */
export const FIRST_ASK = 1;

/** The interval at which the supervisor checks whether a shim still exists, in milliseconds. */
const IS_THERE_MS = 250 as Milliseconds;
/** The time that a shim may take from its line to its stop, in milliseconds. It does nothing in between. */
const STOPS_WITHIN_MS = 10_000;
/**
 * The first interval between two checks, and the longest, in milliseconds. A shim that never stops costs 110 checks in
 * all.
 */
const LOOK_AGAIN_MS = 1;
const LOOK_SELDOM_MS = 100;
/** The timeout for a shim's end after its last answer. A client that does not read can delay it. */
const GOES_WITHIN_MS = 15_000;
const GOING_MS = 20;
const GOING_SELDOM_MS = 500;

/** The conversation with one shim. The shim asks and stops itself. The supervisor answers and continues it. */
export interface ShimChannel {
  readonly shim: ShimProcess;
  /** Whether space is reserved for its answers, even if /run becomes full. */
  readonly hasRoom: boolean;
  /** Settles when the shim has been given its first answer. */
  readonly begun: Promise<void>;
  /**
   * Takes a line of the shim from the FIFO. The shim asks for the next answer when it has the last one. Another process
   * of its account can write a line with any other number. Such a line is ignored: it would end a command that has not
   * begun.
   */
  take(ask: Ask): void;
  /**
   * The shim's next ask; undefined if it has ended, is a zombie, or has not asked in time.
   * @param most the timeout in milliseconds; without it the call waits as long as the shim exists
   */
  asked(most?: number): Promise<Ask | undefined>;
  /** Ends the waiting of `asked`: the shim is treated as ended. */
  lost(): void;
  /** Keeps a line for the client until the shim can write it. */
  say(line: string): void;
  sayStarted(): void;
  /** Takes the lines not yet written, so that another shim of the same client can write them. */
  unsaid(): Said;
  /** Settles when the shim is stopped after its last ask. @returns false if it has ended, or does not stop */
  still(): Promise<boolean>;
  /** Answers the last ask, with the lines for the client, and continues the shim. */
  answer(words: (said: Said, number: number) => string): Promise<void>;
  /**
   * Sends the last answer. A shim that does not wait for one reads a line that is not needed any more, and gets
   * SIGTERM. A shim that cannot be answered tells its client that the supervisor does not answer, and exits with status
   * 75.
   */
  finish(words: (said: Said) => string): Promise<void>;
  /** Waits until the shim has carried out its last answer and has ended, then removes its files. */
  end(): Promise<void>;
}

/**
 * @param folder the folder of the answers: only root writes there, and the account reads
 * @param first undefined for a shim that another supervisor has answered: its next line is accepted with any number
 */
export function openShimChannel(shim: ShimProcess, folder: string, first: Ask | undefined): ShimChannel {
  let current = first ?? { number: 0, status: undefined };
  let next: Ask | undefined;
  let gone = false;
  let answered = false;
  /** The number of another supervisor's last answer is not known. */
  let isKnown = first !== undefined;
  let wake = () => {};
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  let lastWords: ((said: Said) => string) | undefined;
  let told: string[] = [];
  let started = 0;
  const room = holdRoom(folder);
  const still = async (isWanted = () => true) => {
    for (const wait of waits(LOOK_AGAIN_MS, LOOK_SELDOM_MS, STOPS_WITHIN_MS)) {
      const state = shim.state();
      if (state !== "running") return state === "stopped";
      await sleep(wait);
      if (!isWanted()) return false;
    }
    return false;
  };
  /** The ask for which the shim is checked, until it is continued with its answer. */
  let lettingGo: Ask | undefined;
  /** A shim that another process continues repeats its line again and again: only the first one begins to look at it. */
  const letGoOn = async () => {
    const asked = current;
    if (lettingGo === asked) return;
    lettingGo = asked;
    if (await still(() => lettingGo === asked && next === undefined)) shim.signal("SIGCONT");
    if (lettingGo === asked) lettingGo = undefined;
  };
  /** bin/nixgate-shim gives up at this signal, which needs no space on any disk. */
  const sendAway = async () => {
    if (await still()) shim.signal("SIGUSR2");
    shim.signal("SIGCONT");
  };
  const turn = () => {
    if (next === undefined) return undefined;
    room?.clear();
    lettingGo = undefined;
    current = next;
    next = undefined;
    answered = false;
    return current;
  };
  const unsaid = () => {
    const said = { told, started };
    told = [];
    started = 0;
    return said;
  };
  const answer = async (words: (said: Said, number: number) => string) => {
    const text = words(unsaid(), current.number);
    if (!room) throw new Error(`${folder}: no room for an answer`);
    room.write(`${shim.pid}-${current.number}`, text);
    answered = true;
    await letGoOn();
    begin();
  };
  const finish = async (words: (said: Said) => string) => {
    lastWords = words; // the shim may be about to ask again, and then SIGTERM does not end it
    turn();
    if (answered) shim.signal("SIGTERM");
    else await answer(words).catch(sendAway);
  };
  /** The latest line about the next ask, while the shim has a child: sh writes its line after its command has ended. */
  let held: Ask | undefined;
  let stopHolding: (() => void) | undefined;
  const believe = () => {
    if (held === undefined) return;
    if (shim.hasChild()) {
      stopHolding ??= poll(IS_THERE_MS, believe);
      return;
    }
    stopHolding?.();
    stopHolding = undefined;
    next = held;
    held = undefined;
    if (lastWords)
      finish(lastWords).catch(() => shim.signal("SIGKILL")); // no space for the answer
    else wake();
  };
  return {
    shim,
    hasRoom: room !== undefined,
    begun,
    still: () => still(),
    take(ask) {
      const isNext = isKnown ? answered && ask.number === current.number + 1 : ask.number > 0;
      if (isNext) {
        isKnown = true;
        held = ask;
        believe();
        // the shim looked before the answer was there
      } else if (answered && ask.number === current.number) void letGoOn();
    },
    async asked(most = Number.POSITIVE_INFINITY) {
      const end = clock.monotonic() + most;
      const stop = poll(IS_THERE_MS, () => {
        if (shim.state() === "gone" || clock.monotonic() > end) wake();
      });
      while (next === undefined && !gone && shim.state() !== "gone" && clock.monotonic() <= end)
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      stop();
      return turn();
    },
    lost() {
      gone = true;
      wake();
    },
    say: (line) => void told.push(line),
    sayStarted() {
      started += 1;
    },
    unsaid,
    answer,
    finish,
    async end() {
      for (const wait of waits(GOING_MS, GOING_SELDOM_MS, GOES_WITHIN_MS)) {
        if (shim.state() === "gone") break;
        await sleep(wait);
      }
      stopHolding?.();
      shim.signal("SIGKILL");
      room?.close();
      shim.close();
    },
  };
}

/** Waits in milliseconds that double from `first` up to `longest`, and add up to `all`. */
function* waits(first: number, longest: number, all: number): Generator<number> {
  for (let wait = first, waited = 0; waited < all; waited += wait, wait = Math.min(longest, wait * 2)) yield wait;
}
