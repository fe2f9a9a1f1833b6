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
  | "unended";

export interface Finding {
  readonly kind: FindingKind;
  readonly path: string;
  /** 1-based. */
  readonly line: number;
  /** Absent where the line does not say. */
  readonly session?: string;
  /** In plain words, safe to show. */
  readonly what: string;
  /** RFC 3339: up to this time the session's records are sound. Absent where none is. */
  readonly since?: string;
}
