import { append, resumeChain } from "../../record/chain.ts";
import type { RecordBody, RecordOf, SessionRecord } from "../../record/schema.ts";
import type { DayFile } from "../archive.ts";
import { damageCount, openBytes } from "../bounds.ts";
import { decodeIn } from "../misplaced.ts";
import { headOf } from "../sessions/open-sessions.ts";

/** A session with a session.start and without a session.end. */
export interface Unended {
  readonly start: RecordOf<"session.start">;
  /** The last record of its chain. */
  readonly last: SessionRecord;
  /** Commands without a command.end, by their number; the latest MOST_OPEN of them. */
  readonly open: ReadonlyMap<number, RecordOf<"command.start">>;
  readonly commands: number;
  readonly denied: number;
}

/**
 * A session runs one command at a time, so more open commands than a few are forged. Each costs the recovery a copy for
 * the journal, which is a process of its own: thousands of them would keep it from the other teams.
 */
const MOST_OPEN = 8;

/** An `Unended` while its file is read. */
interface Reading {
  readonly start: RecordOf<"session.start">;
  last: SessionRecord;
  readonly open: Map<number, RecordOf<"command.start">>;
  commands: number;
  denied: number;
  bytes: number;
}

/** The end of a whole record's line, as append in chain.ts writes it. */
const WHOLE = /,"hash":"[0-9a-f]{64}"\}$/;
const WHOLE_BYTES = 80;
/** What a record's line begins with. A record has it nowhere else, since JSON escapes quotation marks in its texts. */
const RECORD = Buffer.from('{"v":1,"time":"');

/**
 * The sessions that have no end according to the starts of the lines. Most sessions of a file have one, and to decode all
 * lines of a busy day takes a minute. An end counts here only as a whole line: a torn one is none.
 */
function openIn(file: DayFile): ReadonlySet<string> {
  const open = new Map<string, number>();
  const ended = new Set<string>();
  const held = openBytes(file.path);
  const damage = damageCount(file.path);
  for (const { bytes: line } of file.lines()) {
    const bytes = asBuffer(line);
    const head = headOf(bytes);
    if (!head) damage.add();
    if (!head || ended.has(head.session)) continue;
    const { session } = head;
    if (head.event === "session.start") {
      held.add(bytes.length - (open.get(session) ?? 0));
      open.set(session, bytes.length);
    } else if (head.event === "session.end" && isWhole(bytes)) {
      ended.add(session);
      held.remove(open.get(session) ?? 0);
      open.delete(session);
    }
  }
  return new Set(open.keys());
}

/** The same bytes, which are valid until the next line is read. */
const asBuffer = (line: Uint8Array): Buffer => Buffer.from(line.buffer, line.byteOffset, line.byteLength);

const isWhole = (line: Buffer): boolean =>
  WHOLE.test(line.toString("latin1", Math.max(0, line.length - WHOLE_BYTES))) && line.indexOf(RECORD, 1) === -1;

/**
 * The sessions of a file that have no end. The function skips damaged lines, records in another team's folder, and
 * records without their session.start. `sessions verify` reports those, and no honest end can be written for them. Time
 * is linear in the file's lines; memory holds only the sessions without an end.
 * @throws RecordError E_LOG_READ, also where there are more of these than any supervisor leaves
 */
export function unendedIn(file: DayFile): readonly Unended[] {
  const open = openIn(file);
  if (open.size === 0) return [];
  const found = new Map<string, Reading>();
  const ended = new Set<string>();
  const held = openBytes(file.path);
  const damage = damageCount(file.path);
  for (const line of file.lines()) {
    if (!open.has(headOf(asBuffer(line.bytes))?.session ?? "")) continue;
    const decoded = decodeIn(file, line);
    if (!decoded.ok) damage.add();
    if (!decoded.ok || ended.has(decoded.record.session)) continue;
    const { record } = decoded;
    const { session } = record;
    const bytes = line.bytes.length;
    const known = found.get(session);
    if (record.event === "session.end") {
      ended.add(session);
      found.delete(session);
      held.remove(known?.bytes ?? 0);
    } else if (record.event === "session.start") {
      found.set(session, { start: record, last: record, open: new Map(), commands: 0, denied: 0, bytes });
      held.add(bytes - (known?.bytes ?? 0));
    } else if (known && isOfOne(known.start, record)) {
      held.add(bytes);
      known.bytes += bytes;
      step(known, record);
    }
  }
  return [...found.values()];
}

/**
 * A record with another team, host or boot does not belong to the session. The chain must not continue under that name.
 */
const isOfOne = (start: SessionRecord, { team, host, boot }: SessionRecord) =>
  team === start.team && host === start.host && boot === start.boot;

function step(known: Reading, record: SessionRecord): void {
  known.last = record;
  if (record.event === "command.start") {
    known.open.set(record.n, record);
    known.commands += 1;
    const [oldest] = known.open.keys();
    if (known.open.size > MOST_OPEN && oldest !== undefined) known.open.delete(oldest);
  }
  if (record.event === "command.end") known.open.delete(record.n);
  if (record.event === "command.deny") known.denied += 1;
}

/**
 * 128 + SIGKILL, the status that sh reports for a killed process. A supervisor that left no end on record was killed.
 */
const KILLED = 137;

/**
 * The records that end a session whose supervisor died. The time of its death is not known, so `wall_ms` counts up to
 * now, the longest possible duration.
 * @param now milliseconds since 1970; `monotonic`: milliseconds of CLOCK_MONOTONIC, where the boot is still the
 * session's
 * @param leftovers the number of processes that were ended, by the command's number; absent where none were searched
 */
export function closing(
  { start, last, open, commands, denied }: Unended,
  now: number,
  leftovers: ReadonlyMap<number, number>,
  monotonic?: number,
): readonly { readonly line: string; readonly record: SessionRecord }[] {
  const since = ({
    time,
    monotonic_ms: began,
  }: {
    readonly time: string;
    readonly monotonic_ms?: number | undefined;
  }) =>
    Math.max(
      0,
      Math.round(monotonic === undefined || began === undefined ? now - Date.parse(time) : monotonic - began),
    );
  const bodies: RecordBody[] = [...open.values()].map((begun) => {
    const { n } = begun;
    const ended = leftovers.get(n);
    const figures = { wall_ms: since(begun), usage: {}, ...(ended !== undefined && { leftovers: ended }) };
    return { event: "command.end", n, cause: "supervisor-lost", ...figures };
  });
  bodies.push({
    event: "session.end",
    exit: KILLED,
    commands,
    denied,
    wall_ms: since(start),
    cause: "supervisor-lost",
  });
  let chain = resumeChain(last);
  return bodies.map((body) => {
    const appended = append(chain, now, body);
    chain = appended.chain;
    return appended;
  });
}

/** A record that continues the chain after the file's last record, with its line. */
export interface Continuation {
  readonly record: SessionRecord;
  /** The line without its LF. */
  readonly line: string;
}

/**
 * The journal's copies that continue the session's chain after the file's last record, in order. The hash of each
 * record covers the hash before it, so any other copies are skipped.
 * @returns these copies, and the session's state after them; undefined where its session.end is among them
 */
export function continued(lost: Unended, copies: readonly Continuation[]) {
  const behind = new Map(copies.map((copy) => [`${copy.record.seq} ${copy.record.prev}`, copy]));
  const known: Reading = { ...lost, open: new Map(lost.open), bytes: 0 };
  const more: Continuation[] = [];
  for (;;) {
    const copy = behind.get(`${known.last.seq + 1} ${known.last.hash}`);
    if (copy?.record.session !== lost.start.session || !isOfOne(lost.start, copy.record)) return { more, rest: known };
    more.push(copy);
    if (copy.record.event === "session.end") return { more, rest: undefined };
    step(known, copy.record);
  }
}
