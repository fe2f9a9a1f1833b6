import { NixgateError } from "../../src/units/error.ts";
import { ExitStatus } from "../../src/units/exit-status.ts";

/** Why there is no guest, or none to talk to: this machine, the packages, or the guest itself. */
export class MachineError extends NixgateError {
  override readonly name = "MachineError";

  /** @param hint an imperative sentence without its full stop */
  constructor(code: `E_MACHINE_${string}`, message: string, hint?: string, cause?: unknown) {
    super(code, ExitStatus.unavailable, message, { cause, ...(hint === undefined ? {} : { hint }) });
  }
}

/** Wrong words or variables on the tool's command line. */
export class MachineUsage extends NixgateError {
  override readonly name = "MachineUsage";

  constructor(message: string, hint: string) {
    super("E_MACHINE_USAGE", ExitStatus.usage, message, { hint });
  }
}

/** Told what is going on, one line at a time, without a full stop. */
export type Say = (line: string) => void;
