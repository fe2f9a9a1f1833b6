import type { Clock } from "../../session/ports.ts";

/** 24.8 days. Node's timers fire at once when they are given a longer delay. */
const LONGEST_MS = 2 ** 31 - 1;

export const clock: Clock = {
  now: () => Date.now(),
  // `performance` would load nine more of Node's modules
  monotonic: () => Number(process.hrtime.bigint()) / 1e6,
  after(delay, callback) {
    let timer: NodeJS.Timeout | undefined;
    const wait = (left: number) => {
      timer = setTimeout(() => (left > LONGEST_MS ? wait(left - LONGEST_MS) : callback()), Math.min(left, LONGEST_MS));
    };
    wait(delay);
    return () => clearTimeout(timer);
  },
};

/** The promise's value, or `late` where it does not settle within this many milliseconds. */
export async function within<T, Late>(ms: number, promise: Promise<T>, late: Late): Promise<T | Late> {
  let timer: NodeJS.Timeout | undefined;
  const over = new Promise<Late>((resolve) => {
    timer = setTimeout(resolve, ms, late);
  });
  try {
    return await Promise.race([promise, over]);
  } finally {
    clearTimeout(timer);
  }
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
