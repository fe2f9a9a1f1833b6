import type { Clock } from "../session/ports.ts";

export const clock: Clock = {
  now: () => Date.now(),
  // `performance` would load nine of Node's modules more
  monotonic: () => Number(process.hrtime.bigint()) / 1e6,
  after(delay, callback) {
    const timer = setTimeout(callback, delay);
    return () => clearTimeout(timer);
  },
};

/** What the promise gives; `late` where it has given nothing after so many milliseconds. */
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
