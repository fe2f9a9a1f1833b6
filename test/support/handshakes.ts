const u64 = (value: number | bigint) => {
  const bytes = Buffer.alloc(8);
  bytes.writeBigUInt64LE(BigInt(value));
  return bytes;
};

/** What a client sends first to `nix-store --serve`: SERVE_MAGIC_1 and version 2.7 (serve-protocol.hh, Nix 2.8). */
export const SERVE_HELLO = Buffer.concat([u64(0x390c9deb), u64(0x207)]);
/** SERVE_MAGIC_2, the first word of the answer. */
export const SERVE_ANSWER = u64(0x5452eecb);
/** What a client sends first to `nix-daemon --stdio`: WORKER_MAGIC_1 (worker-protocol.hh, Nix 2.8). */
export const DAEMON_HELLO = u64(0x6e697863);
/** WORKER_MAGIC_2. */
export const DAEMON_ANSWER = u64(0x6478696f);
