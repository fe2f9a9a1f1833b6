import { crc32 } from "node:zlib";
import type { ArchiveProblem, DayFile, IndexBuilder } from "../archive.ts";
import type { ReadSession } from "../sessions/read-sessions.ts";
import { BLOCK_FORMAT } from "./block-format.ts";
import { type Block, decodeBlock } from "./decode-block.ts";
import { BLOCK_ROWS, blockOf } from "./encode-block.ts";

/** A file with more damage than this gets no index and is read each time. */
const PROBLEMS_MAX = 1000;

interface BlockEntry {
  readonly from: number;
  readonly length: number;
  readonly crc: number;
  readonly rows: number;
  /** The start of the first session, and the end of the last; null where one has no end. Milliseconds since 1970. */
  readonly begins: number;
  readonly ends: number | null;
}

interface Footer {
  readonly format: string;
  readonly blocks: readonly BlockEntry[];
  /** The damage of the file's lines. */
  readonly problems: readonly ArchiveProblem[];
}

export interface Kept {
  readonly entries: readonly BlockEntry[];
  readonly problems: readonly ArchiveProblem[];
  /** @throws where the block has changed since it was written */
  block(entry: BlockEntry): Block;
  close(): void;
}

/** The cached index of a file; undefined where none fits the file's present state. */
export function openKept(file: DayFile): Kept | undefined {
  const kept = file.index?.open();
  if (kept === undefined) return undefined;
  const { format, blocks, problems } = JSON.parse(kept.footer) as Footer;
  if (format !== BLOCK_FORMAT) {
    kept.close();
    return undefined;
  }
  return {
    entries: blocks,
    problems,
    block(entry) {
      const bytes = kept.read(entry.from, entry.length);
      if (crc32(bytes) !== entry.crc) throw new Error("the index is damaged");
      return decodeBlock(bytes);
    },
    close: kept.close,
  };
}

/** Writes an index of a file's sessions while the file is read. */
export function createIndexWriter(file: DayFile) {
  let builder: IndexBuilder | undefined = file.index?.build();
  const blocks: BlockEntry[] = [];
  const problems: ArchiveProblem[] = [];
  let block = blockOf();
  let at = 0;
  const giveUp = () => {
    builder?.close();
    builder = undefined;
  };
  const flush = () => {
    if (block.rows === 0) return;
    const bytes = block.bytes();
    builder?.add(bytes);
    blocks.push({ from: at, length: bytes.length, crc: crc32(bytes), rows: block.rows, ...block.range() });
    at += bytes.length;
    block = blockOf();
  };
  return {
    add(session: ReadSession): void {
      if (builder === undefined) return;
      if (!block.add(session)) giveUp();
      else if (block.rows === BLOCK_ROWS) flush();
    },
    problem(problem: ArchiveProblem): void {
      if (builder === undefined) return;
      problems.push(problem);
      if (problem.unread || problems.length > PROBLEMS_MAX) giveUp();
    },
    finish(): void {
      flush();
      builder?.finish(JSON.stringify({ format: BLOCK_FORMAT, blocks, problems } satisfies Footer));
    },
    close: giveUp,
  };
}
