import { isatty } from "node:tty";
import { write } from "./leave.ts";

/** Short work is done before anyone wonders. */
const FIRST_MS = 700;
const NEXT_MS = 100;
const CLEAR = "\r\u001b[K";

/** One line on stderr that says how far long work is, where stderr is a terminal. It goes before anything else is written. */
export function progressLine() {
  let next = performance.now() + FIRST_MS;
  let shown = false;
  const clear = () => {
    if (shown) write(2, CLEAR);
    shown = false;
  };
  const say = (words: () => string) => {
    const now = performance.now();
    if (now < next) return;
    next = now + NEXT_MS;
    shown = true;
    write(2, `${CLEAR}${words().slice(0, (process.stderr.columns ?? 80) - 1)}`);
  };
  return { ...(isatty(2) && { say }), clear };
}
