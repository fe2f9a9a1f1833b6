import type { KeyPath } from "../problem.ts";

/** The values of a file, or the reason why there are none. */
export type Parsed =
  | { readonly ok: true; readonly data: unknown }
  | { readonly ok: false; readonly line: number | undefined; readonly message: string; readonly fix: string };

/** The 1-based line of a key. An absent key has the line of the nearest table around it. */
export type Locate = (at: KeyPath) => number | undefined;
