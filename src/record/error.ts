import { type ErrorDetails, NixgateError } from "../units/error.ts";
import { ExitStatus } from "../units/exit-status.ts";
import { escapeText } from "../units/text.ts";

const STATUS = {
  /** A record file or its directory cannot be created or opened. */
  E_LOG_CREATE: ExitStatus.cannotCreate,
  /** A record could not be written completely, or not made durable. */
  E_LOG_WRITE: ExitStatus.ioError,
  /** The archive, or one file of it, cannot be read. */
  E_LOG_READ: ExitStatus.ioError,
  /** The archive cannot be read, because another account holds a lease on the file. A retry may succeed in a minute. */
  E_LOG_HELD: ExitStatus.ioError,
  /** The archive, or the rest of one file of it, was not read, because the time for its team is over. */
  E_LOG_TIME: ExitStatus.ioError,
  /** The archive cannot be read, because this account has no permission. */
  E_LOG_DENIED: ExitStatus.denied,
  /** The key or the seals cannot be opened. This is mostly so for every account but root. */
  E_SEAL_STORE: ExitStatus.cannotCreate,
  /** A seal could not be written. */
  E_SEAL_WRITE: ExitStatus.ioError,
  /** The journal cannot be read. */
  E_JOURNAL_READ: ExitStatus.ioError,
  /** A record is longer than readers take: nixgate put an unbounded value into it. */
  E_RECORD_LENGTH: ExitStatus.bug,
} as const;

/** An error in creating, writing or reading records. */
export class RecordError extends NixgateError {
  override readonly name = "RecordError";
  constructor(code: keyof typeof STATUS, message: string, details: ErrorDetails = {}) {
    super(code, STATUS[code], message, details);
  }
}

/** Whether the error means that one file of an archive could not be read. The other files are still read. */
export const isUnread = (error: unknown): error is RecordError =>
  error instanceof RecordError && ["E_LOG_READ", "E_LOG_HELD", "E_LOG_TIME", "E_LOG_DENIED"].includes(error.code);

/** The code for a failed read, which tells a missing permission apart by the errno of the cause (errno(3)). */
export function unreadableCode(cause: unknown): "E_LOG_READ" | "E_LOG_DENIED" {
  const { code } = cause as { readonly code?: unknown };
  return code === "EACCES" || code === "EPERM" ? "E_LOG_DENIED" : "E_LOG_READ";
}

/** The error of one file, with the file's name. The file's owner can make it fail in any way. */
export const ofFile = ({ path }: { readonly path: string }, error: unknown): RecordError => {
  if (error instanceof RecordError && error.message.includes(path)) return error;
  const what = error instanceof Error ? error.message : String(error);
  return new RecordError("E_LOG_READ", `${path}: ${escapeText(what)}`, { cause: error });
};
