import type { Allow } from "../../decision/decision.ts";
import type { CommandTerms } from "../../scope/plan.ts";
import type { ReadyConfiguration } from "../configuration.ts";
import type { OpenScope, ProgramProblem, SessionPorts } from "../ports.ts";
import type { Session } from "../session.ts";

/** A request that the policy allows. */
export interface AllowedRequest {
  readonly decision: Allow;
  readonly bytes: Uint8Array;
  /** The number of the request in its session, from 1. */
  readonly n: number;
}

/** A command whose scope is made. It begins when it is watched, unless an earlier supervisor began it. */
export interface RunningCommand {
  /** The number of the command in its session, from 1. */
  readonly n: number;
  readonly terms: CommandTerms;
  readonly scope: OpenScope;
}

/** The parts of a session that a running command needs. A resumed session has only these. */
export interface RunningSession extends Pick<Session, "id" | "log" | "lockNow"> {
  readonly configuration: { readonly policy: Pick<ReadyConfiguration["policy"], "team" | "session"> };
  readonly ports: Pick<SessionPorts, "clock" | "client" | "programs">;
}

/** The reason why the program cannot be executed. The message begins with the path. */
export function problemWith(
  { argv: [program] }: Pick<CommandTerms, "argv">,
  { programs }: Pick<SessionPorts, "programs">,
): ProgramProblem | undefined {
  const problem = programs.problemWith(program);
  return problem && { ...problem, message: `${program} ${problem.message}` };
}
