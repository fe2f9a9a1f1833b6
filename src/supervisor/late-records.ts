import type { LateRecords, Records } from "../session/ports.ts";

/** The interval at which the supervisor tries to write waiting records, in milliseconds. */
const LOOK_AGAIN_MS = 2000;
/**
 * The maximum number of sessions whose last records wait. For further sessions `nixgate recover` takes them from the
 * journal.
 */
const MOST_WAITING = 1000;

export interface LateRecordQueue {
  keep(late: LateRecords): void;
  /** Writes the records for which there is space. */
  write(): void;
  sessions(): readonly string[];
}

/** Writes the last records of sessions that ended while the disk was full, as soon as there is space. */
export function lateRecords(open: Records["open"]): LateRecordQueue {
  let waiting: { readonly late: LateRecords; left: readonly string[] }[] = [];
  let timer: NodeJS.Timeout | undefined;
  const write = () => {
    for (const one of waiting) {
      const { directory, team, start } = one.late;
      try {
        const file = open(directory, team, start);
        try {
          for (let [line, ...rest] = one.left; line !== undefined; [line, ...rest] = one.left) {
            void file.append(line, { durable: rest.length === 0 })?.catch(() => undefined);
            one.left = rest;
          }
        } finally {
          file.close();
        }
      } catch {
        // the disk is still full
      }
    }
    waiting = waiting.filter(({ left }) => left.length > 0);
    if (waiting.length > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
  return {
    keep(late) {
      if (waiting.length >= MOST_WAITING) return;
      waiting.push({ late, left: late.lines });
      timer ??= setInterval(write, LOOK_AGAIN_MS).unref();
    },
    write,
    sessions: () => waiting.map(({ late }) => late.session),
  };
}
