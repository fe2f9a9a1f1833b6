import { NixgateError } from "../units/error.ts";
import { ExitStatus } from "../units/exit-status.ts";

/** No scope could be made. This is a failure of systemd, kept apart from failures of the command. Status 69. */
export class ScopeUnavailable extends NixgateError {
  override readonly name = "ScopeUnavailable";
  constructor(message: string, cause?: unknown) {
    super("E_SCOPE_UNAVAILABLE", ExitStatus.unavailable, message, {
      hint: "check the user manager of the account: systemctl --user -M ACCOUNT@ status",
      cause,
    });
  }
}
