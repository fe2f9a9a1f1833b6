const WORDS: ReadonlyMap<unknown, string> = new Map([
  ["EMFILE", "this account may open no more files (nofile of limits.conf(5))"],
  ["ENFILE", "this host can open no more files"],
  ["ENOMEM", "this host has no memory left for a session"],
]);

/**
 * The exhausted resource of the account or the host, in words; undefined for every other error. Such an error is no bug
 * of nixgate; its exit status is 69.
 */
export const exhausted = (error: unknown): string | undefined =>
  WORDS.get((error as { readonly code?: unknown } | null)?.code);
