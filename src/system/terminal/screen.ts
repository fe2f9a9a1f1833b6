import { write } from "./output.ts";

/** The event that ended a screen's wait. */
export type Waited = "due" | "resized" | "quit";

const ESC = "\u001b[";
/** Alternate screen, no cursor, no wrapping of long lines (xterm's control sequences, DEC private modes 1049, 25, 7). */
const ENTER = `${ESC}?1049h${ESC}?25l${ESC}?7l`;
const LEAVE = `${ESC}?7h${ESC}?25h${ESC}?1049l`;
const QUIT = /[qQ\u0003\u0004]/;

export const stdoutIsTerminal = (): boolean => process.stdout.isTTY === true;
/** no-color.org: any non-empty text disables colours. */
export const wantsColour = (): boolean => !process.env["NO_COLOR"];

/** The terminal as one page that is redrawn. The previous content returns at the end. */
export function openScreen() {
  let answer: ((what: Waited) => void) | undefined;
  let quit = false;
  const happen = (what: Waited) => {
    if (what === "quit") quit = true;
    answer?.(what);
  };
  const onKey = (keys: Buffer) => void (QUIT.test(keys.toString("latin1")) && happen("quit"));
  const onResize = () => happen("resized");
  const onSignal = () => happen("quit");
  const { stdin, stdout } = process;
  if (stdin.isTTY) stdin.setRawMode(true).on("data", onKey).resume();
  stdout.on("resize", onResize);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.on(signal, onSignal);
  process.once("exit", restore);
  write(1, ENTER);
  let open = true;
  function restore(): void {
    if (!open) return;
    open = false;
    if (stdin.isTTY) stdin.setRawMode(false).pause();
    write(1, LEAVE);
  }
  return {
    size: () => ({ columns: stdout.columns, rows: stdout.rows }),
    /** Draws lines from the top. Lines that do not fit are left out. */
    draw(lines: readonly string[]): void {
      const shown = lines.slice(0, stdout.rows).map((line) => `${line}${ESC}K`);
      write(1, `${ESC}H${shown.join("\r\n")}${ESC}J`);
    },
    wait(ms: number): Promise<Waited> {
      if (quit) return Promise.resolve("quit");
      return new Promise((resolve) => {
        const timer = setTimeout(() => happen("due"), ms);
        answer = (what) => {
          clearTimeout(timer);
          answer = undefined;
          resolve(what);
        };
      });
    },
    close: restore,
  };
}
