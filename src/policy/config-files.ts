import type { Problem } from "./policy.ts";

/** The largest configuration file that is read, in bytes. */
export const LARGEST_FILE = 1024 * 1024;

/** A configuration file that only root and the trusted owners can have written. */
export interface ConfigFile {
  /** The requested path, before links are followed. */
  readonly path: string;
  readonly text: string;
  /** SHA-256 of the exact bytes of `text`; 64 hex digits. */
  readonly sha256: string;
}

/** `missing`: the name does not exist, and every part of the path to it is trusted. */
export type Read<T> =
  | { readonly kind: "found"; readonly found: T }
  | { readonly kind: "missing"; readonly problem: Problem }
  | { readonly kind: "refused"; readonly problem: Problem };

/**
 * Reads configuration from a disk. Only root and the trusted owners can change its results: the implementation follows
 * the path part by part, and refuses the first part that another account could replace. Refusals are values, because a
 * session records them.
 */
export interface ConfigFiles {
  read(path: string): Read<ConfigFile>;
  /** The names in a folder, sorted. */
  list(directory: string): Read<readonly string[]>;
  /** The type of the path's target. */
  kind(path: string): Read<"file" | "directory">;
  /**
   * Whether the name exists, by one system call. The result is also true where the folder exists and its names are
   * hidden. It is false where the folder cannot be seen either.
   */
  isThere(path: string): boolean;
}
