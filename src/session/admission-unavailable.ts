import { NixgateError } from "../units/error.ts";
import { ExitStatus } from "../units/exit-status.ts";

/** Sessions cannot be counted on this host, so none is admitted. Status 69: a retry would not help. */
export class AdmissionUnavailable extends NixgateError {
  override readonly name = "AdmissionUnavailable";
  constructor(message: string, details: { readonly hint: string; readonly cause?: unknown }) {
    super("E_ADMISSION_UNAVAILABLE", ExitStatus.unavailable, message, details);
  }
}
