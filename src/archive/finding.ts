/** The kinds of findings of `sessions verify`. */
export type FindingKind =
  | "torn"
  | "foreign"
  | "changed"
  | "missing"
  | "order"
  | "misplaced"
  | "copied"
  | "after-end"
  | "unended"
  /** The record is in the journal, not in the files. */
  | "removed"
  /** The record is in the files, not in the journal. */
  | "uncopied"
  /** Sealed bytes have changed. */
  | "altered"
  /** The file is shorter than at its seal. */
  | "cut"
  /** A sealed file does not exist, and no prune is on record. */
  | "gone"
  /** The session or file did not exist when its day was sealed. */
  | "late"
  /** The day is over, and no seal run could read the file since. */
  | "unsealed"
  /** A seal itself was changed or removed. */
  | "seal";

/** The source of a finding: the hashes in the records, the copies in the journal, or root's seals. */
export const LAYERS = ["chain", "journal", "seal"] as const;
export type Layer = (typeof LAYERS)[number];

export interface Finding {
  readonly layer: Layer;
  readonly kind: FindingKind;
  readonly path: string;
  /** 1-based. Absent where the finding is about the whole file, or about a line that does not exist. */
  readonly line?: number;
  /** Absent where the line names none. */
  readonly session?: string;
  /** Plain words, escaped for a terminal. */
  readonly what: string;
  /** RFC 3339: the session's records are sound up to this time. Absent where none is. */
  readonly since?: string;
}

/** `path:line`, or the path alone where there is no line. */
export const placeOf = ({ path, line }: Finding): string => (line === undefined ? path : `${path}:${line}`);
