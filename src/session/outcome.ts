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

/** The one line of a refusal or of a stop; the id is what a user quotes to the administrator. */
export const refusalLine = (message: string, { session }: Pick<Arrival, "session">): string =>
  `nixgate: ${message} (session ${session})`;

export function tellClient(
  message: string,
  arrival: Pick<Arrival, "session">,
  { client }: Pick<SessionPorts, "client">,
): void {
  client.tell(refusalLine(message, arrival));
}
