import { setTimeout as sleep } from "node:timers/promises";

/** Waits until the condition gives something true, and gives that back. @throws after `withinMs` */
export async function waitFor<T>(what: string, condition: () => T | Promise<T>, withinMs = 10_000): Promise<T & {}> {
  const deadline = performance.now() + withinMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (performance.now() > deadline) throw new Error(`waited ${withinMs} ms in vain: ${what}`);
    await sleep(20);
  }
}
