import type { Problem } from "./policy.ts";

/** The largest configuration file that is read, in bytes. */
export const LARGEST_FILE = 1024 * 1024;

/** A configuration file that nobody but root and the trusted owners could have written. */
export interface ConfigFile {
  /** As it was asked for, not where a link led. */
  readonly path: string;
  readonly text: string;
  /** Of the very bytes that `text` was made from; 64 hex digits. */
  readonly sha256: string;
}

/** `missing`: there is no such name, and everything on the way to it was in order. */
export type Read<T> =
  | { readonly kind: "found"; readonly found: T }
  | { readonly kind: "missing"; readonly problem: Problem }
  | { readonly kind: "refused"; readonly problem: Problem };

/**
 * Configuration as it lies on a disk. Whatever it gives back could be changed by root and the trusted owners alone:
 * the implementation follows the path part by part and refuses the first one that anybody else could exchange.
 * Refusals are values: a session puts them on record.
 */
export interface ConfigFiles {
  read(path: string): Read<ConfigFile>;
  /** The names in a folder, sorted. */
  list(directory: string): Read<readonly string[]>;
  /** What the path leads to. */
  kind(path: string): Read<"file" | "directory">;
  /**
   * Whether there is such a name, by one system call; true also where its folder is there and hides what is in it, false
   * where that folder cannot be seen either.
   */
  isThere(path: string): boolean;
}
