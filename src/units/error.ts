import type { ExitStatus } from "./exit-status.ts";

export interface ErrorDetails {
  /** What the reader can do about it, as an imperative sentence without its full stop. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/**
 * The base of every failure that nixgate itself words: a stable code for programs, an exit status for callers,
 * a message for people (lower case, names the path or the word at fault) and, where there is one, the remedy.
 */
export class NixgateError extends Error {
  override readonly name: string = "NixgateError";
  readonly code: string;
  readonly exitStatus: ExitStatus;
  readonly hint: string | undefined;

  constructor(code: string, exitStatus: ExitStatus, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.code = code;
    this.exitStatus = exitStatus;
    this.hint = details.hint;
  }
}
