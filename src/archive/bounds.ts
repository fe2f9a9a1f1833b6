import { RecordError } from "../record/error.ts";

/**
 * The longest file of one day, in bytes, that a reader accepts from an account other than root. No writer makes a
 * longer one.
 */
export const DAY_MAX_BYTES = 1_073_741_824;
/** The most bytes of sessions without an end that a reader keeps of one file at one time. */
const OPEN_MAX_BYTES = 67_108_864;
/** The most damage of one file that is reported. The rest of such a file is not read. */
export const DAMAGE_MAX = 10_000;

/** Counts the bytes that a reader keeps of a file, so that no file can fill a reader's memory. */
export function openBytes(path: string) {
  let held = 0;
  return {
    /** @throws RecordError E_LOG_READ above the bound */
    add(bytes: number): void {
      held += bytes;
      if (held > OPEN_MAX_BYTES)
        throw new RecordError("E_LOG_READ", `${path}: more than ${OPEN_MAX_BYTES} bytes of sessions without an end`, {
          hint: "nixgate did not write this file: check its owner",
        });
    },
    remove(bytes: number): void {
      held -= bytes;
    },
  };
}
export type OpenBytes = ReturnType<typeof openBytes>;

/** Counts the damage of a file. */
export function damageCount(path: string) {
  let count = 0;
  return {
    /** @throws RecordError E_LOG_READ above the bound */
    add(): void {
      count += 1;
      if (count > DAMAGE_MAX)
        throw new RecordError("E_LOG_READ", `${path}: more than ${DAMAGE_MAX} lines are damaged: the rest is not read`);
    },
  };
}
