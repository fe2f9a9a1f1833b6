/** What `sessions verify` can find. */
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
  /** In the journal, not in the files. */
  | "removed"
  /** In the files, not in the journal. */
  | "uncopied"
  /** Bytes that were sealed are others now. */
  | "altered"
  /** The file is shorter than it was when it was sealed. */
  | "cut"
  /** A file that was sealed is not there, and no prune is on record. */
  | "gone"
  /** It was not there when its day was sealed. */
  | "late"
  /** Its day is over, and no run of the seals could read it since. */
  | "unsealed"
  /** A seal itself was changed or removed. */
  | "seal";

/** Which of the three finds it: the hashes in the records, the copies in the journal, the seals of root. */
export const LAYERS = ["chain", "journal", "seal"] as const;
export type Layer = (typeof LAYERS)[number];

export interface Finding {
  readonly layer: Layer;
  readonly kind: FindingKind;
  readonly path: string;
  /** 1-based. Absent where it is about the whole file, or about a line that is not there. */
  readonly line?: number;
  /** Absent where the line does not say. */
  readonly session?: string;
  /** In plain words, safe to show. */
  readonly what: string;
  /** RFC 3339: up to this time the session's records are sound. Absent where none is. */
  readonly since?: string;
}

/** `path:line`, as far as there is one. */
export const placeOf = ({ path, line }: Finding): string => (line === undefined ? path : `${path}:${line}`);
