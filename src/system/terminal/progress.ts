import { isatty } from "node:tty";
import { writePassing } from "./exit-process.ts";

/** Shorter work shows no progress, in milliseconds. */
const FIRST_MS = 700;
const NEXT_MS = 100;

/** Shows the progress of long work, where stderr is a terminal; otherwise undefined. */
export function progressLine(): ((words: () => string) => void) | undefined {
  if (!isatty(2)) return undefined;
  let next = performance.now() + FIRST_MS;
  return (words) => {
    const now = performance.now();
    if (now < next) return;
    next = now + NEXT_MS;
    writePassing(words().slice(0, (process.stderr.columns || 80) - 1));
  };
}
