import {
  chmodSync,
  closeSync,
  constants,
  lstatSync,
  openSync,
  readdirSync,
  renameSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { removeIfThere } from "../../system/kernel/kernel-files.ts";

/**
 * What is held for the answers of one shim, in bytes. Only a policy with very many words of environment makes a longer
 * answer; that one is written into a file of its own.
 */
export const ROOM_BYTES = 8192;
/** Held files of shims that have gone, which the next shims take: for each team at most so many. */
const MOST_SPARES = 8;
const SPARE = "spare-";

/**
 * The place of a shim's answers in the team's folder. It is made before anything is begun for the shim, and each answer
 * is written over the one before it: a /run that is full by then (tmpfs(5)) keeps no shim from its answer.
 */
export interface AnswerRoom {
  /** Puts a whole answer under this name, in the place of none. @throws Node's own error where there is no room for it */
  write(name: string, text: string): void;
  /** Takes the answer away: nobody reads it any more. */
  clear(): void;
  close(): void;
}

const spares = new Map<string, string[]>();
let made = 0;

/** @returns undefined where there is no room */
export function holdRoom(folder: string): AnswerRoom | undefined {
  const own = spares.get(folder)?.pop() ?? makeHeld(folder);
  if (own === undefined) return undefined;
  let at: string | undefined = own;
  let large: string | undefined;
  const back = () => {
    if (large !== undefined) removeIfThere(large);
    large = undefined;
    if (at !== undefined && at !== own) renameSync(at, own);
    at = own;
  };
  return {
    write(name, text) {
      const bytes = Buffer.from(text);
      back();
      const path = `${folder}/${name}`;
      if (bytes.length > ROOM_BYTES) {
        writeAnew(path, bytes);
        large = path;
        return;
      }
      fill(own, bytes);
      renameSync(own, path); // a shim that somebody else lets go on finds a whole answer or none
      at = path;
    },
    clear: back,
    close() {
      back();
      const others = spares.get(folder) ?? [];
      spares.set(folder, others);
      if (others.length < MOST_SPARES) others.push(own);
      else removeIfThere(own);
    },
  };
}

/**
 * Of an earlier supervisor's answers no shim may find one any more. Their files are kept as room for the shims that
 * are still there, and all else in the folder goes.
 */
export function takeOverRoom(folder: string): void {
  const kept: string[] = [];
  for (const name of readdirSync(folder)) {
    const path = `${folder}/${name}`;
    if (lstatSync(path).size !== ROOM_BYTES) removeIfThere(path);
    else kept.push(path);
  }
  spares.set(
    folder,
    kept.map((path) => {
      const spare = nextSpare(folder);
      renameSync(path, spare);
      return spare;
    }),
  );
}

function nextSpare(folder: string): string {
  made += 1;
  return `${folder}/${SPARE}${process.pid}-${made}`;
}

function makeHeld(folder: string): string | undefined {
  const path = nextSpare(folder);
  try {
    writeAnew(path, Buffer.alloc(ROOM_BYTES, "\n"));
    return path;
  } catch {
    return undefined;
  }
}

/** All of the file is written, so that it has all of its pages; sh passes over empty lines. */
function fill(path: string, bytes: Uint8Array): void {
  const padded = Buffer.alloc(ROOM_BYTES, "\n");
  padded.set(bytes);
  const file = openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW);
  try {
    if (writeSync(file, padded, 0, padded.length, 0) !== padded.length) throw new Error(`${path}: a short write`);
  } finally {
    closeSync(file);
  }
}

function writeAnew(path: string, bytes: Uint8Array): void {
  const whole = `${path}.new`;
  try {
    writeFileSync(whole, bytes);
    chmodSync(whole, 0o644); // the folder lets none but root and the account's group in
    renameSync(whole, path);
  } catch (error) {
    removeIfThere(whole);
    throw error;
  }
}
