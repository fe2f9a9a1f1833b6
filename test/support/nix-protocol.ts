/** Nix's wire format: u64 little endian; a string is its length, its bytes, zeros up to a multiple of 8. */
export const u64 = (value: number): Buffer => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};

const SERVE_CLIENT = Buffer.from("eb9d0c3900000000", "hex");
export const SERVE_SERVER = Buffer.from("cbee525400000000", "hex");
const WORKER_CLIENT = Buffer.from("6378696e00000000", "hex");
export const WORKER_SERVER = Buffer.from("6f69786400000000", "hex");
const STDERR_LAST = Buffer.from("73746c6100000000", "hex");

/** What an `ssh://` client says first: magic and version 2.7. */
export const serveHello = Buffer.concat([SERVE_CLIENT, u64(0x207)]);
/** What an `ssh-ng://` client says first: magic, version 1.34, no CPU affinity, no reserve space. */
export const workerHello = Buffer.concat([WORKER_CLIENT, u64(0x122), u64(0), u64(0)]);

/** Whether these are all the bytes of nix-store's answer to `serveHello`: magic and a version 2.x. */
export function isServeAnswer(bytes: Buffer): boolean {
  return bytes.length === 16 && bytes.subarray(0, 8).equals(SERVE_SERVER) && bytes[9] === 2;
}

/** Whether these are nix-daemon's answer to `workerHello`: magic, a version 1.x, …, and the last word of its greeting. */
export function isWorkerAnswer(bytes: Buffer): boolean {
  return bytes.subarray(0, 8).equals(WORKER_SERVER) && bytes[9] === 1 && bytes.subarray(-8).equals(STDERR_LAST);
}
