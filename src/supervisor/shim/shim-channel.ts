import type { Said } from "../../session/shim-answers.ts";
import { clock, sleep } from "../../system/kernel/clock.ts";
import type { Milliseconds } from "../../units/quantities.ts";
import { poll } from "../poll.ts";
import { holdRoom } from "./answer-room.ts";
import type { ShimProcess } from "./shim-process.ts";

/** What a shim writes into its FIFO, besides its pid. */
export interface Ask {
  /** Of the answer that it asks for, from 1. */
  readonly number: number;
  /** What the last answer's command ended with. */
  readonly status: number | undefined;
  /** Whether a signal came to the shim meanwhile that nixgate sends it only at the very end. */
  readonly isHit?: boolean;
}

/** The number of the answer that a new shim asks for. */
export const FIRST_ASK = 1;

/** How often it is looked whether a shim is still there that is waited for. */
const IS_THERE_MS = 250 as Milliseconds;
/** How long a shim may take from its line to its stop, in milliseconds; it does nothing in between. */
const STOPS_WITHIN_MS = 10_000;
/** The first wait between two looks, and the longest: one that never stops costs 110 looks in all. */
const LOOK_AGAIN_MS = 1;
const LOOK_SELDOM_MS = 100;
/** How long a shim may take to end after its last answer; a client that does not read can hold it up. */
const GOES_WITHIN_MS = 15_000;
const GOING_MS = 20;
const GOING_SELDOM_MS = 500;

/** The conversation with one shim: it asks and stands still, it is answered and goes on. */
export interface ShimChannel {
  readonly shim: ShimProcess;
  /** Whether there is room for its answers, whatever becomes of /run meanwhile. */
  readonly hasRoom: boolean;
  /** Settles when the shim has been given its first answer. */
  readonly begun: Promise<void>;
  /**
   * Takes a line of the shim's from the FIFO: it asks for the next answer once it has the last. Any other number is none of
   * a shim's, and another process of its account can write it: what was not begun would count as ended.
   */
  take(ask: Ask): void;
  /**
   * The shim's next ask; undefined when it is gone, which also a zombie is, or has not asked in time.
   * @param most how long it may take; without it as long as the shim is there
   */
  asked(most?: number): Promise<Ask | undefined>;
  /** Ends the waiting of `asked`: the shim is gone. */
  lost(): void;
  /** Keeps a line for the client until the shim can say it. */
  say(line: string): void;
  sayStarted(): void;
  /** What is left to be said, for another shim of the same client's to say. */
  unsaid(): Said;
  /** Settles when the shim stands still after its last ask. @returns false when it is gone, or does not */
  still(): Promise<boolean>;
  /** Answers the last ask, with what is to be said, and lets the shim go on. */
  answer(words: (said: Said, number: number) => string): Promise<void>;
  /**
   * The last answer. A shim that does not wait for one reads a line that nobody asks for any more, and is told to end.
   * One that cannot be answered ends by itself: it says that the supervisor does not answer, with status 75.
   */
  finish(words: (said: Said) => string): Promise<void>;
  /** Waits until the shim has obeyed its last answer and is gone, then removes what was left for it. */
  end(): Promise<void>;
}

/**
 * @param folder where answers lie: only root writes there, and the account reads
 * @param first undefined for a shim that another supervisor has answered: whatever it asks next is new
 */
export function openShimChannel(shim: ShimProcess, folder: string, first: Ask | undefined): ShimChannel {
  let current = first ?? { number: 0, status: undefined };
  let next: Ask | undefined;
  let gone = false;
  let answered = false;
  /** The number that another supervisor's last answer had is not known. */
  let isKnown = first !== undefined;
  let wake = () => {};
  const { promise: begun, resolve: begin } = Promise.withResolvers<void>();
  let lastWords: ((said: Said) => string) | undefined;
  let told: string[] = [];
  let started = 0;
  const room = holdRoom(folder);
  const still = async () => {
    for (const wait of waits(LOOK_AGAIN_MS, LOOK_SELDOM_MS, STOPS_WITHIN_MS)) {
      const state = shim.state();
      if (state !== "running") return state === "stopped";
      await sleep(wait);
    }
    return false;
  };
  const letGoOn = async () => {
    if (await still()) shim.signal("SIGCONT");
  };
  /** bin/nixgate-shim takes this signal for "nobody answers": it needs no room anywhere. */
  const sendAway = async () => {
    if (await still()) shim.signal("SIGUSR2");
    shim.signal("SIGCONT");
  };
  const turn = () => {
    if (next === undefined) return undefined;
    room?.clear();
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
    lastWords = words; // it may be on its way to the next ask, where SIGTERM does not reach it
    turn();
    if (answered) shim.signal("SIGTERM");
    else await answer(words).catch(sendAway);
  };
  return {
    shim,
    hasRoom: room !== undefined,
    begun,
    still,
    take(ask) {
      const isNext = isKnown ? answered && ask.number === current.number + 1 : ask.number > 0;
      if (isNext) {
        isKnown = true;
        next = ask;
        if (lastWords)
          finish(lastWords).catch(() => shim.signal("SIGKILL")); // there is no room to tell it
        else wake();
      } else if (answered && ask.number === current.number) void letGoOn(); // it looked before the answer was there
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
      shim.signal("SIGKILL");
      room?.close();
      shim.close();
    },
  };
}

/** Waits in milliseconds that double from `first` up to `longest`, `all` together. */
function* waits(first: number, longest: number, all: number): Generator<number> {
  for (let wait = first, waited = 0; waited < all; waited += wait, wait = Math.min(longest, wait * 2)) yield wait;
}
