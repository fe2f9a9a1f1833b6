import { FIRST_PREV } from "../../record/chain.ts";
import type { RawLine } from "../../record/decode.ts";
import { decodeLine } from "../../record/decode.ts";
import type { RecordOf, SessionRecord } from "../../record/schema.ts";
import { isHostEvent } from "../../record/vocabulary.ts";
import type { DayFile, IsAlive } from "../archive.ts";
import { DAMAGE_MAX, openBytes } from "../bounds.ts";
import type { Finding, FindingKind } from "../finding.ts";
import { misplacedIn } from "../misplaced.ts";
import { type Links, linksOf } from "./links.ts";

/** A session whose end has not been read yet. */
interface Open {
  start?: RecordOf<"session.start">;
  last: SessionRecord;
  line: number;
  /** The accepted values of the next record's `prev`; there are several only after a changed line. */
  next: readonly string[];
  /** The time of the last record before the first finding. */
  soundUntil?: string;
  broken: boolean;
  /** The bytes of its longest line: the start and the last record are kept. */
  bytes: number;
}

export interface FileCount {
  sessions: number;
  records: number;
  running: number;
}

/** @param digest SHA-256 of the record's bytes, as hex; `record.hash` where the bytes are unchanged */
export type Visit = (record: SessionRecord, digest: string, line: number) => void;

/**
 * Yields all findings of one file: bytes changed; records removed, moved, copied or forged without a chain; torn lines;
 * sessions in another team's folder or another day's file; sessions without an end and without a process. The function
 * is pure over the file's lines. Memory holds the open sessions and the ids of the ended ones. A file with more than
 * DAMAGE_MAX findings is not read to its end.
 *
 * An account that can write the file can also compute the chain. So the function cannot find a session removed
 * completely, a removed file, or a session forged or rewritten with a correct chain. The function also cannot tell
 * whether a missing end was cut off or never written. The copy in the journal and the seals find those.
 * @param count the function adds to these counters
 * @param visit called for each record that has a chain, in the order of the file
 */
export function* verifyFile(
  file: DayFile,
  isAlive: IsAlive,
  count: FileCount,
  visit: Visit = () => undefined,
): Generator<Finding> {
  let told = 0;
  for (const finding of everyFinding(file, isAlive, count, visit)) {
    yield finding;
    told += 1;
    if (told < DAMAGE_MAX) continue;
    yield at(
      file,
      { number: finding.line ?? 1 },
      "foreign",
      `${DAMAGE_MAX} findings: the rest of the file is not checked`,
    );
    return;
  }
}

function* everyFinding(file: DayFile, isAlive: IsAlive, count: FileCount, visit: Visit): Generator<Finding> {
  const open = new Map<string, Open>();
  const ended = new Set<string>();
  const held = openBytes(file.path);
  for (const line of file.lines()) {
    const decoded = decodeLine(line);
    const links = decoded.ok ? linksOf(line.bytes) : undefined;
    if (!decoded.ok) {
      yield unreadable(file, line, decoded.damage.kind === "torn" ? "torn" : "foreign", decoded.damage.what);
      continue;
    }
    const { record } = decoded;
    if (links === undefined) {
      const finding = at(file, line, "foreign", "has no chain at its end: not written by nixgate");
      yield { ...finding, session: record.session };
      continue;
    }
    count.records += 1;
    visit(record, links.computed, line.number);
    let known = open.get(record.session);
    if (known === undefined) {
      yield* beginning(file, { line, record, links }, ended.has(record.session));
      if (ended.has(record.session)) continue;
      if (!isHostEvent(record.event)) count.sessions += 1;
      known = opened(record, line, links);
      held.add(known.bytes);
      open.set(record.session, known);
    } else {
      for (const [kind, what] of stepProblems(known, record, links)) {
        known.broken = true;
        yield { ...at(file, line, kind, what), session: record.session, ...since(known) };
      }
      if (record.event === "session.start") known.start ??= record;
      // A record in the wrong place is one finding, not three: the chain continues from the record with the highest
      // seq.
      if (record.seq > known.last.seq) {
        stepOn(known, record, line, links);
        const more = Math.max(0, line.bytes.length - known.bytes);
        held.add(more);
        known.bytes += more;
      }
    }
    if (record.event === "session.end" || isHostEvent(record.event)) {
      open.delete(record.session);
      held.remove(known.bytes);
      ended.add(record.session);
    }
  }
  for (const [session, known] of open) {
    if (known.start && isAlive(known.start)) count.running += 1;
    else yield { ...at(file, { number: known.line }, "unended", UNENDED), session, ...since(known) };
  }
}

const UNENDED =
  "the last record of a session that has no session.end, and its process is gone: a crash that `nixgate recover` has not ended yet, or the end was cut off";

const at = (file: DayFile, line: { readonly number: number }, kind: FindingKind, what: string): Finding => ({
  layer: "chain",
  kind,
  path: file.path,
  line: line.number,
  what,
});
const since = (known: Open) => (known.soundUntil === undefined ? {} : { since: known.soundUntil });

/** A finding with the session that the line names, even where the line is no record. */
function unreadable(file: DayFile, line: RawLine, kind: FindingKind, what: string): Finding {
  const session = /"session":"([0-9a-f-]{36})"/.exec(Buffer.from(line.bytes).toString("latin1"))?.[1];
  return { ...at(file, line, kind, what), ...(session !== undefined && { session }) };
}

/** A line with its record and its place in the chain. */
interface LinkedLine {
  readonly line: RawLine;
  readonly record: SessionRecord;
  readonly links: Links;
}

const CHANGED = "a byte of this line was changed: its hash does not match";
type Problem = readonly [kind: FindingKind, what: string];

/** Checks the first record of a session in this file. */
function* beginning(file: DayFile, { line, record, links }: LinkedLine, again: boolean) {
  const found = (kind: FindingKind, what: string) => ({ ...at(file, line, kind, what), session: record.session });
  if (again && record.seq === 0) yield found("copied", "this session is in the file a second time");
  else if (again) yield found("after-end", `seq ${record.seq} comes after the session's session.end`);
  if (links.computed !== links.hash) yield found("changed", CHANGED);
  if (again) return;
  if (record.seq > 0) yield found("missing", `the session begins with seq ${record.seq}: earlier records are missing`);
  else if (links.prev !== FIRST_PREV) yield found("missing", "the first record refers to an earlier one");
  else if (record.event !== "session.start" && !isHostEvent(record.event))
    yield found("missing", "the session does not begin with session.start");
  const misplaced = misplacedIn(file, record);
  if (misplaced !== undefined) yield found("misplaced", misplaced);
  const day = record.time.slice(0, 10);
  if (record.seq === 0 && day !== file.day) yield found("misplaced", `a session of ${day} in the file of ${file.day}`);
}

/** Yields the problems between a session's last record and this one. */
function* stepProblems(known: Open, record: SessionRecord, links: Links): Generator<Problem> {
  const { last } = known;
  const expected = last.seq + 1;
  if (links.computed !== links.hash) yield ["changed", CHANGED];
  if (record.seq < expected) yield ["order", `seq ${record.seq} follows seq ${last.seq}: moved or duplicated`];
  else if (record.seq > expected)
    yield ["missing", `seq ${record.seq} follows seq ${last.seq}: records between them are missing`];
  else if (!known.next.includes(links.prev))
    yield ["missing", "does not continue the record before it: that record was replaced"];
  else if (record.team !== last.team || record.host !== last.host || record.boot !== last.boot)
    yield ["changed", "team, host or boot differs from the session's first record"];
}

const hashes = ({ hash, computed }: Links) => (hash === computed ? [hash] : [hash, computed]);

function opened(record: SessionRecord, line: RawLine, links: Links): Open {
  const begins = record.event === "session.start" || isHostEvent(record.event);
  const sound = record.seq === 0 && links.hash === links.computed && begins;
  return {
    ...(record.event === "session.start" && { start: record }),
    last: record,
    line: line.number,
    next: hashes(links),
    ...(sound && { soundUntil: record.time }),
    broken: !sound,
    bytes: line.bytes.length,
  };
}

function stepOn(known: Open, record: SessionRecord, line: RawLine, links: Links): void {
  known.last = record;
  known.line = line.number;
  known.next = hashes(links);
  if (!known.broken) known.soundUntil = record.time;
}
