const WORDS: ReadonlyMap<unknown, string> = new Map([
  ["EMFILE", "this account may open no more files (nofile of limits.conf(5))"],
  ["ENFILE", "this host can open no more files"],
  ["ENOMEM", "this host has no memory left for a session"],
]);

/**
 * What the account or the host has run out of, in words; undefined for every other error. It is no bug of nixgate's, and
 * status 69.
 */
export const exhausted = (error: unknown): string | undefined =>
  WORDS.get((error as { readonly code?: unknown } | null)?.code);
