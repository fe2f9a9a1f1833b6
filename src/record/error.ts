import { type ErrorDetails, NixgateError } from "../units/error.ts";
import { ExitStatus } from "../units/exit-status.ts";
import { escapeText } from "../units/text.ts";

const STATUS = {
  /** A record file or its folder cannot be had. */
  E_LOG_CREATE: ExitStatus.cannotCreate,
  /** A record could not be written whole, or not made durable. */
  E_LOG_WRITE: ExitStatus.ioError,
  /** The archive, or one file of it, cannot be read. */
  E_LOG_READ: ExitStatus.ioError,
  /** The same, because another account holds a lease on the file: it may be readable in a minute. */
  E_LOG_HELD: ExitStatus.ioError,
  /** The same, because this account may not. */
  E_LOG_DENIED: ExitStatus.denied,
  /** The key or the seals cannot be had: by anybody but root, mostly. */
  E_SEAL_STORE: ExitStatus.cannotCreate,
  /** A seal could not be written. */
  E_SEAL_WRITE: ExitStatus.ioError,
  /** The journal cannot be read. */
  E_JOURNAL_READ: ExitStatus.ioError,
  /** A record is longer than any reader takes: nixgate let something unbounded into it. */
  E_RECORD_LENGTH: ExitStatus.bug,
} as const;

/** Records cannot be created, written or read. */
export class RecordError extends NixgateError {
  override readonly name = "RecordError";
  constructor(code: keyof typeof STATUS, message: string, details: ErrorDetails = {}) {
    super(code, STATUS[code], message, details);
  }
}

/** Whether one file of an archive could not be read: no reason to leave out the others. */
export const isUnread = (error: unknown): error is RecordError =>
  error instanceof RecordError && ["E_LOG_READ", "E_LOG_HELD", "E_LOG_DENIED"].includes(error.code);

/** Whether it could not be read for want of permission, by the errno of the cause (errno(3)). */
export function unreadableCode(cause: unknown): "E_LOG_READ" | "E_LOG_DENIED" {
  const { code } = cause as { readonly code?: unknown };
  return code === "EACCES" || code === "EPERM" ? "E_LOG_DENIED" : "E_LOG_READ";
}

/** The failure of one file, with its name: whoever owns the file may have made it fail in any way. */
export const ofFile = ({ path }: { readonly path: string }, error: unknown): RecordError => {
  if (error instanceof RecordError && error.message.includes(path)) return error;
  const what = error instanceof Error ? error.message : String(error);
  return new RecordError("E_LOG_READ", `${path}: ${escapeText(what)}`, { cause: error });
};
