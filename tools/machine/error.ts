import { NixgateError } from "../../src/units/error.ts";
import { ExitStatus } from "../../src/units/exit-status.ts";

/** The reason why a guest cannot be started or reached: this machine, the packages, or the guest itself. */
export class MachineError extends NixgateError {
  override readonly name = "MachineError";

  /** @param hint an imperative sentence without its full stop */
  constructor(code: `E_MACHINE_${string}`, message: string, hint?: string, cause?: unknown) {
    super(code, ExitStatus.unavailable, message, { cause, ...(hint === undefined ? {} : { hint }) });
  }
}

/** Wrong arguments or variables on the tool's command line. */
export class MachineUsage extends NixgateError {
  override readonly name = "MachineUsage";

  constructor(message: string, hint: string) {
    super("E_MACHINE_USAGE", ExitStatus.usage, message, { hint });
  }
}

/** Takes progress messages, one line each, without a full stop. */
export type Say = (line: string) => void;
