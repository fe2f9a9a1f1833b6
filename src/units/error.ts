import type { ExitStatus } from "./exit-status.ts";

export interface ErrorDetails {
  /** The remedy, as an imperative sentence without its full stop. */
  readonly hint?: string;
  readonly cause?: unknown;
}

/**
 * The base of every error that nixgate itself words. The code is stable, for programs. The exit status is for callers.
 * The hint is the remedy, where there is one. The message is for people: it is lower case and names the path or the
 * word at fault.
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
