import { type ErrorDetails, NixgateError } from "../units/error.ts";
import { ExitStatus } from "../units/exit-status.ts";

/** A command line that nixgate cannot carry out. Status 64. */
export class UsageError extends NixgateError {
  override readonly name = "UsageError";
  constructor(message: string, details: ErrorDetails = {}) {
    super("E_USAGE", ExitStatus.usage, message, details);
  }
}
