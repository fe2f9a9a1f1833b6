import { createHmac } from "node:crypto";
import * as z from "zod/mini";
import { FIRST_PREV } from "../../record/chain.ts";
import type { RawLine } from "../../record/decode.ts";
import type { Finding } from "../finding.ts";

const HEX = z.string().check(z.regex(/^[0-9a-f]{64}$/));
const count = z.int().check(z.gte(0));

/**
 * Root's statement that the file began with these bytes at `time`. A seal of a day that is not over yet is a
 * checkpoint, and the file may grow after it. `prune` describes the file when root removed it. `acknowledge` says that
 * root has an explanation for findings in the file, or for a day that the clock showed by mistake.
 */
const Seal = z.object({
  v: z.literal(1),
  /** The position in the chain of all seals: 0, 1, 2, … */
  n: count,
  kind: z.enum(["seal", "prune", "acknowledge"]),
  time: z.string(),
  host: z.string(),
  boot: z.string(),
  team: z.string(),
  day: z.string(),
  /** The number of sealed bytes, up to the last whole line. */
  size: count,
  /** The number of whole lines in these bytes. */
  lines: count,
  sha256: HEX,
  /** Only in a prune. */
  sessions: z.optional(count),
  /** Set in the last seal of a run. The run sealed every file that had grown, except those in `without`. */
  ends: z.optional(z.literal(true)),
  /**
   * The files that this run could not read: `team/day`, or `team` for all of its files. Absent where there are none.
   */
  without: z.optional(z.array(z.string())),
  /** Only in an acknowledgement: the findings, as keys of findingKey. */
  findings: z.optional(z.array(HEX)),
  /** Only in an acknowledgement: the host's clock showed `day` by mistake. */
  clock: z.optional(z.literal(true)),
  /** Only in an acknowledgement: the file did not exist. */
  gone: z.optional(z.literal(true)),
  /**
   * Only in an acknowledgement: the account that made it, and the account that had logged in before it became that
   * account.
   */
  by: z.optional(
    z.object({
      user: z.string(),
      uid: count,
      login: z.optional(z.object({ uid: count, user: z.optional(z.string()) })),
    }),
  ),
  /** Only in an acknowledgement: the reason in root's words. */
  why: z.optional(z.string()),
  /** `mac` of the seal before this one; 64 zeros in the first. A removed seal is detected by it. */
  prev: HEX,
  /** HMAC-SHA-256 (RFC 2104) of the line's bytes before `,"mac":`. */
  mac: HEX,
});
export type Seal = z.infer<typeof Seal>;
export type SealBody = Omit<Seal, "v" | "n" | "prev" | "mac">;

/** The state of the chain of seals. */
export interface SealHead {
  readonly n: number;
  readonly prev: string;
}

const macOf = (key: Uint8Array, covered: string | Uint8Array) =>
  createHmac("sha256", key).update(covered).digest("hex");

/** The next seal as one line with its LF, and the chain's state after it. */
export function sealLine(key: Uint8Array, { n, prev }: SealHead, body: SealBody): { line: string; head: SealHead } {
  const covered = JSON.stringify({ v: 1, n, ...body, prev }).slice(0, -1);
  const mac = macOf(key, covered);
  return { line: `${covered},"mac":"${mac}"}\n`, head: { n: n + 1, prev: mac } };
}

export interface Seals {
  /** The seals with a valid `mac`, in order. */
  readonly seals: readonly Seal[];
  /** Seals that were changed, removed or moved. */
  readonly findings: readonly Finding[];
  readonly head: SealHead;
  /** Whether no seal is missing. Only then does a file without a seal prove anything. */
  readonly isWhole: boolean;
}

const MAC_BYTES = ',"mac":""}'.length + 64;

const CLOSING_BRACE = 0x7d;

/**
 * All seals of an archive. A line without a valid `mac` is a finding and proves nothing. A line without an end is the
 * rest of a seal whose writing a crash interrupted: the chain continues after it.
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
      found(`seal ${seal.n} does not continue the seal before it: seals were removed or moved`);
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
