import { NixgateError } from "../units/error.ts";
import { ExitStatus } from "../units/exit-status.ts";
import type { Problem } from "./policy.ts";
import { isError } from "./problem.ts";

export type ConfigErrorCode = "E_CONFIG_INVALID" | "E_CONFIG_REFUSED" | "E_CONFIG_MISSING" | "E_CONFIG_UNKNOWN_TEAM";

/**
 * The configuration cannot be used. The message is the first problem with severity error. The exit status is 78, or 75
 * where the host could not read that file at the moment.
 */
export class ConfigError extends NixgateError {
  override readonly name = "ConfigError";
  readonly problems: readonly Problem[];

  constructor(code: ConfigErrorCode, problems: readonly Problem[]) {
    const [first, ...others] = problems.filter(isError);
    const location = first && (first.line === undefined ? first.path : `${first.path}:${first.line}`);
    const more = others.length === 0 ? "" : ` (and ${others.length} more: run nixgate check)`;
    super(
      code,
      first?.temporary ? ExitStatus.busy : ExitStatus.config,
      first ? `${location}: ${first.message}${more}` : "the configuration is not valid",
      {
        hint: first?.fix ?? "run nixgate check",
      },
    );
    this.problems = problems;
  }
}
