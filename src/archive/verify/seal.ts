import { createHmac } from "node:crypto";
import * as z from "zod/mini";
import { FIRST_PREV } from "../../record/chain.ts";
import type { RawLine } from "../../record/decode.ts";
import type { Finding } from "../finding.ts";

const HEX = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const count = z.int().check(z.gte(0));

/**
 * What root vouches for: at `time` the file began with these bytes. A seal of a day that is not over yet is a
 * checkpoint: the file may grow behind it. `prune` says that the file was as described when root removed it, `acknowledge`
 * that root has an explanation for findings in it, or for a day that the clock showed by mistake.
 */
const Seal = z.object({
  v: z.literal(1),
  /** Place in the chain of all seals: 0, 1, 2, … */
  n: count,
  kind: z.enum(["seal", "prune", "acknowledge"]),
  time: z.string(),
  host: z.string(),
  boot: z.string(),
  team: z.string(),
  day: z.string(),
  /** Bytes that are sealed: up to the last whole line. */
  size: count,
  /** Whole lines in them. */
  lines: count,
  sha256: HEX,
  /** Of a pruned file. */
  sessions: z.optional(count),
  /** Of the last seal of a run: it has sealed every file which had grown, but for those in `without`. */
  ends: z.optional(z.literal(true)),
  /** What this run could not read: `team/day`, or `team` for all of its files. Absent where there is nothing. */
  without: z.optional(z.array(z.string())),
  /** Of an acknowledgement: the findings, as findingKey has them. */
  findings: z.optional(z.array(HEX)),
  /** Of an acknowledgement: the host's clock showed `day` by mistake. */
  clock: z.optional(z.literal(true)),
  /** Of an acknowledgement: the file was not there. */
  gone: z.optional(z.literal(true)),
  /** Of an acknowledgement: who, and who had logged in behind that account. */
  by: z.optional(
    z.object({
      user: z.string(),
      uid: count,
      login: z.optional(z.object({ uid: count, user: z.optional(z.string()) })),
    }),
  ),
  /** Of an acknowledgement, in root's words. */
  why: z.optional(z.string()),
  /** `mac` of the seal before this one, 64 zeros in the first: a seal that is removed shows. */
  prev: HEX,
  /** HMAC-SHA-256 (RFC 2104) of the line's bytes in front of `,"mac":`. */
  mac: HEX,
});
export type Seal = z.infer<typeof Seal>;
export type SealBody = Omit<Seal, "v" | "n" | "prev" | "mac">;

/** Where the chain of seals stands. */
export interface SealHead {
  readonly n: number;
  readonly prev: string;
}

const macOf = (key: Uint8Array, covered: string | Uint8Array) =>
  createHmac("sha256", key).update(covered).digest("hex");

/** The next seal as one line with its LF, and where the chain stands behind it. */
export function sealLine(key: Uint8Array, { n, prev }: SealHead, body: SealBody): { line: string; head: SealHead } {
  const covered = JSON.stringify({ v: 1, n, ...body, prev }).slice(0, -1);
  const mac = macOf(key, covered);
  return { line: `${covered},"mac":"${mac}"}\n`, head: { n: n + 1, prev: mac } };
}

export interface Seals {
  /** Those that carry the key's mark, in their order. */
  readonly seals: readonly Seal[];
  /** Seals changed, removed or put elsewhere. */
  readonly findings: readonly Finding[];
  readonly head: SealHead;
  /** Whether none is missing: only then does it mean something that a file has no seal. */
  readonly isWhole: boolean;
}

const MAC_BYTES = ',"mac":""}'.length + 64;

const CLOSING_BRACE = 0x7d;

/**
 * All seals of an archive. What does not carry the key's mark is a finding and vouches for nothing. A line without an
 * end is what a crash leaves of a seal that was never made: the chain goes on over it.
 */
export function readSeals(key: Uint8Array, lines: Iterable<RawLine>, path: string): Seals {
  const seals: Seal[] = [];
  const findings: Finding[] = [];
  let head: SealHead = { n: 0, prev: FIRST_PREV };
  let isWhole = true;
  for (const { number, bytes } of lines) {
    const found = (what: string) => findings.push({ layer: "seal", kind: "seal", path, line: number, what });
    const seal = sealOf(bytes);
    if (seal === undefined || macOf(key, bytes.subarray(0, bytes.length - MAC_BYTES)) !== seal.mac) {
      if (bytes.at(-1) === CLOSING_BRACE) found("this seal was changed, or made with another key");
      continue;
    }
    if (seal.n !== head.n || seal.prev !== head.prev) {
      isWhole = false;
      found(`seal ${seal.n} does not continue what is before it: seals were removed or moved`);
    }
    seals.push(seal);
    head = { n: seal.n + 1, prev: seal.mac };
  }
  return { seals, findings, head, isWhole };
}

function sealOf(bytes: Uint8Array): Seal | undefined {
  try {
    const read = Seal.safeParse(JSON.parse(Buffer.from(bytes).toString("utf8")));
    return read.success ? read.data : undefined;
  } catch {
    return undefined;
  }
}
