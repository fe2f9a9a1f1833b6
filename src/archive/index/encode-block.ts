import type { ReadSession } from "../sessions/read-sessions.ts";
import { type Header, ID_BYTES, idBytes, LISTS, NUMBERS, TEXTS } from "./block-format.ts";

/** The most sessions in a block. A reader has one block in memory at a time. */
export const BLOCK_ROWS = 2048;

/** Collects sessions one by one into a block, and keeps no reference to the sessions. */
export function blockOf() {
  const numbers = NUMBERS.map(() => new Float64Array(BLOCK_ROWS));
  const ids = Buffer.alloc(BLOCK_ROWS * ID_BYTES);
  const texts = TEXTS.map(() => new Uint32Array(BLOCK_ROWS));
  const lists = LISTS.map(() => ({ ends: new Uint32Array(BLOCK_ROWS), values: [] as number[] }));
  const dictionary = new Map<string, number>();
  const indexOf = (text: string) => {
    const known = dictionary.get(text);
    if (known !== undefined) return known;
    dictionary.set(text, dictionary.size + 1);
    return dictionary.size;
  };
  let rows = 0;
  let begins = Number.POSITIVE_INFINITY;
  let ends: number | null = Number.NEGATIVE_INFINITY;
  return {
    get rows() {
      return rows;
    },
    /** @returns false where a block cannot hold a value of the session */
    add(session: ReadSession): boolean {
      const figures = numbersOf(session);
      if (figures === undefined) return false;
      for (const [column, values] of numbers.entries()) values[rows] = figures[column] ?? Number.NaN;
      idBytes(session.known.first.session).copy(ids, rows * ID_BYTES);
      const words = textsOf(session);
      for (const [column, values] of texts.entries()) {
        const text = words[column];
        values[rows] = text === undefined ? 0 : indexOf(text);
      }
      const listed = listsOf(session);
      for (const [column, { ends, values }] of lists.entries()) {
        for (const text of listed[column] ?? []) values.push(indexOf(text));
        ends[rows] = values.length;
      }
      const [start = 0, end] = figures;
      begins = Math.min(begins, start);
      ends = end === undefined || ends === null ? null : Math.max(ends, start, end);
      rows += 1;
      return true;
    },
    /**
     * The start of the first session, and the latest end. Where the clock was set back, a session's start counts as its
     * end. The end is null where a session has none. Milliseconds since 1970.
     */
    range: () => ({ begins, ends }),
    bytes(): Uint8Array {
      const listed = lists.map(({ ends, values }) => [ends.subarray(0, rows), Uint32Array.from(values)] as const);
      const header: Header = {
        rows,
        dictionary: [...dictionary.keys()],
        listed: listed.map(([, values]) => values.length),
      };
      const json = Buffer.from(JSON.stringify(header));
      const padded = Buffer.concat([json, Buffer.alloc((8 - (json.length % 8)) % 8, " ")]);
      const length = Buffer.alloc(8);
      length.writeUInt32LE(padded.length);
      const columns = [
        ...numbers.map((values) => values.subarray(0, rows)),
        ids.subarray(0, rows * ID_BYTES),
        ...texts.map((values) => values.subarray(0, rows)),
        ...listed.flat(),
      ];
      return Buffer.concat([length, padded, ...columns.map(bytesOf)]);
    },
  };
}

const bytesOf = ({ buffer, byteOffset, byteLength }: Uint8Array | Float64Array | Uint32Array) =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** Undefined where a time is not exact in milliseconds, there is no file, or the first record is no session.start. */
function numbersOf({ known, span }: ReadSession): readonly (number | undefined)[] | undefined {
  const { first, start, end, commands, denied, cpuMs, memoryPeak } = known;
  const [began, ended] = [exact(first.time), end && exact(end.time)];
  if (began === undefined || (end && ended === undefined) || !span || (start && start !== first)) return undefined;
  const counted = [
    end?.wall_ms,
    end?.exit,
    end?.commands ?? commands,
    end?.denied ?? denied,
    cpuMs,
    memoryPeak,
    end?.summed_up,
  ];
  return [began, ended, ...counted, start?.pid, start?.started_ticks, span.from, span.to, span.line];
}

/** Undefined where the milliseconds would not give back the same text. */
function exact(time: string): number | undefined {
  const ms = Date.parse(time);
  return !Number.isNaN(ms) && new Date(ms).toISOString() === time ? ms : undefined;
}

const textsOf = ({ known: { first, start } }: ReadSession) => [
  ...[first.team, first.host, start?.member, start?.client?.ip, start?.key?.fingerprint, first.boot, start?.machine],
];

const listsOf = ({ known: { denials, causes, limitsOf, requests } }: ReadSession): readonly Iterable<string>[] => [
  denials,
  causes,
  limitsOf,
  requests,
];
