import { isatty } from "node:tty";
import { writePassing } from "./exit-process.ts";

/** Short work is done before anyone wonders. */
const FIRST_MS = 700;
const NEXT_MS = 100;

/** Says how far long work is, where stderr is a terminal; undefined where it is none. */
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
