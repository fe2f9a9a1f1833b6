import { hash as opensslHash } from "node:crypto";

const HASH_TAIL = /^,"hash":"([0-9a-f]{64})"\}$/;
const PREV_TAIL = /^,"prev":"([0-9a-f]{64})"$/;
const HASH_BYTES = ',"hash":""}'.length + 64;
const PREV_BYTES = ',"prev":""'.length + 64;

/** The chain's fields of a line, and the hash of its bytes. */
export interface Links {
  readonly prev: string;
  /** The hash in the line. */
  readonly hash: string;
  /** The hash of the line's bytes. It differs from `hash` where a byte was changed. */
  readonly computed: string;
}

/** Parses the fixed end of a line, byte for byte as the writer makes it; undefined where there is no such end. */
export function linksOf(bytes: Uint8Array): Links | undefined {
  const end = bytes.length - HASH_BYTES;
  if (end < PREV_BYTES) return undefined;
  const text = (from: number, to: number) => Buffer.from(bytes.subarray(from, to)).toString("latin1");
  const hash = HASH_TAIL.exec(text(end, bytes.length))?.[1];
  const prev = PREV_TAIL.exec(text(end - PREV_BYTES, end))?.[1];
  if (hash === undefined || prev === undefined) return undefined;
  return { prev, hash, computed: opensslHash("sha256", bytes.subarray(0, end)) };
}
