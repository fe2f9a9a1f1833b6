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

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));
