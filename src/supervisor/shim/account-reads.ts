import { close, open, read } from "node:fs";
import { promisify } from "node:util";
import { toFd } from "../../units/ids.ts";
import { type AccountBudgets, budgets } from "./account-budgets.ts";

const opened = promisify(open);
const readInto = promisify(read);
const closed = promisify(close);

/** The size of a page, and so of each part that the kernel copies of another process's memory. */
const PART = 4096;
/** The threads of libuv without `UV_THREADPOOL_SIZE`. Writes of records to the disk use them too. */
const OTHER_THREADS = 4;

/** The last read for each account, which the next one waits for. */
const last = new Map<number, Promise<unknown>>();

/**
 * Reads a file that the kernel copies from the memory of an account's process: /proc/PID/cmdline or environ. Such a read
 * waits for the process's mmap_lock (access_remote_vm() of mm/memory.c, Linux 6.12). A process can hold this lock for
 * seconds: it calls fork(2) with many mappings, and other processes of its cgroup take the processor time. The read also
 * waits for the file system of the memory, which an account may serve. Therefore a thread of libuv's pool reads. There is
 * one read for each account at one time, so that an account cannot take the threads of others.
 * The account's budget is charged with the bytes.
 * @param path evaluated when the read begins
 * @returns at most `most` bytes
 * @throws Node's own error if the file cannot be read
 */
export function readOfAccount(
  uid: number,
  path: () => string,
  most: number,
  { spend }: Pick<AccountBudgets, "spend"> = budgets,
): Promise<Buffer> {
  const bytes = (last.get(uid) ?? Promise.resolve()).then(() => firstOf(path(), most));
  bytes.then(
    ({ length }) => spend(uid, length),
    () => spend(uid, 0),
  );
  const settled = bytes
    .catch(() => undefined)
    .then(() => {
      if (last.get(uid) === settled) last.delete(uid);
    });
  last.set(uid, settled);
  return bytes;
}

async function firstOf(path: string, most: number): Promise<Buffer> {
  const descriptor = toFd(await opened(path, "r"));
  try {
    const parts: Buffer[] = [];
    for (let room = most; room > 0; ) {
      const part = Buffer.allocUnsafeSlow(Math.min(room, PART * 4));
      const { bytesRead } = await readInto(descriptor, part, 0, part.length, null);
      if (bytesRead === 0) break;
      parts.push(part.subarray(0, bytesRead));
      room -= bytesRead;
    }
    return Buffer.concat(parts);
  } finally {
    await closed(descriptor);
  }
}

/**
 * Sets the number of libuv's threads so that one read of each account can wait while records are written. Must be called
 * before the first use of the pool: libuv reads the variable then, and makes all threads.
 * @param accounts the number of accounts with a FIFO
 */
export function makeThreadsFor(accounts: number): void {
  process.env["UV_THREADPOOL_SIZE"] = String(OTHER_THREADS + accounts);
}
