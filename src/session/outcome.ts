import type { Cause } from "../ending/ending.ts";
import type { Arrival } from "./arrival.ts";
import type { SessionPorts } from "./ports.ts";

/** What a session came to. */
export interface Outcome {
  /** The status that nixgate exits with. */
  readonly exit: number;
  readonly commands: number;
  readonly denied: number;
  readonly cause: Cause;
}

/** The one line of a refusal; the id is what a user quotes to the administrator. */
export function tellRefusal(
  message: string,
  { session }: Pick<Arrival, "session">,
  { client }: Pick<SessionPorts, "client">,
): void {
  client.tell(`nixgate: ${message} (session ${session})`);
}
