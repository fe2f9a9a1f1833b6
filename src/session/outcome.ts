import type { Cause } from "../ending/ending.ts";
import type { Arrival } from "./arrival.ts";
import type { SessionPorts } from "./ports.ts";

/** The result of a session. */
export interface Outcome {
  /** The exit status of nixgate. */
  readonly exit: number;
  readonly commands: number;
  readonly denied: number;
  readonly cause: Cause;
}

/** The line that reports a refusal or a stop. A user quotes the session id in it to the administrator. */
export const refusalLine = (message: string, { session }: Pick<Arrival, "session">): string =>
  `nixgate: ${message} (session ${session})`;

export function tellClient(
  message: string,
  arrival: Pick<Arrival, "session">,
  { client }: Pick<SessionPorts, "client">,
): void {
  client.tell(refusalLine(message, arrival));
}
