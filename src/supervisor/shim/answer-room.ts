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
import { toFd } from "../../units/ids.ts";

/**
 * The space reserved for the answers of one shim, in bytes. Only a policy with a very long environment makes a longer
 * answer, which gets a file of its own.
 */
export const ROOM_BYTES = 8192;
/** The maximum number of reserved files of ended shims for each team. New shims use them. */
const MOST_SPARES = 8;
const SPARE = "spare-";

/**
 * The space for a shim's answers in the team's folder. It is reserved before anything is begun for the shim. Each
 * answer is written over the previous one, so that a full /run (tmpfs(5)) keeps no shim from its answer.
 */
export interface AnswerRoom {
  /** Makes a whole answer visible under this name. @throws Node's own error if there is no space for it */
  write(name: string, text: string): void;
  /** Removes the answer, which no shim reads any more. */
  clear(): void;
  close(): void;
}

const spares = new Map<string, string[]>();
let made = 0;

/** @returns undefined if there is no space */
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
      renameSync(own, path); // a shim that another process continues finds a whole answer or none
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
 * Makes the answers of an earlier supervisor unreadable for shims. Their files become reserved space for the shims that
 * still exist. Everything else in the folder is removed.
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

/** Writes the whole file, so that it has all of its pages. sh ignores empty lines. */
function fill(path: string, bytes: Uint8Array): void {
  const padded = Buffer.alloc(ROOM_BYTES, "\n");
  padded.set(bytes);
  const file = toFd(openSync(path, constants.O_WRONLY | constants.O_NOFOLLOW));
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
    chmodSync(whole, 0o644); // only root and the account's group can enter the folder
    renameSync(whole, path);
  } catch (error) {
    removeIfThere(whole);
    throw error;
  }
}
