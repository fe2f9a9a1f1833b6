const WORDS: ReadonlyMap<unknown, string> = new Map([
  ["EMFILE", "this account may open no more files (nofile of limits.conf(5))"],
  ["ENFILE", "this host can open no more files"],
  ["ENOMEM", "this host has no memory left for a session"],
]);

const codeOf = (error: unknown): unknown => (error as { readonly code?: unknown } | null)?.code;

/**
 * The exhausted resource of the account or the host, in words; undefined for every other error. Such an error is no bug
 * of nixgate; its exit status is 69.
 */
export const exhausted = (error: unknown): string | undefined => WORDS.get(codeOf(error));

/** Errors of a disk or a file server (errno(3)). They say nothing about the file. */
const OF_A_DISK: ReadonlySet<unknown> = new Set(["EIO", "EAGAIN", "EINTR", "ENOBUFS", "ESTALE", "ETIMEDOUT"]);

/**
 * The resource that the host lacks at this moment, in words; undefined for every other error. The same system call may
 * succeed later, so the error says nothing about the file.
 */
export function lackOfNow(error: unknown): string | undefined {
  const code = codeOf(error);
  return exhausted(error) ?? (OF_A_DISK.has(code) ? `its disk or file server answers with ${code}` : undefined);
}
