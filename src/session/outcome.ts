import type { Cause } from "../ending/ending.ts";
import type { HostConfig } from "../policy/policy.ts";
import type { SessionId } from "../units/ids.ts";
import { escapeText } from "../units/text.ts";
import type { Client } from "./ports.ts";

/** The result of a session. */
export interface Outcome {
  /** The exit status of nixgate. */
  readonly exit: number;
  readonly commands: number;
  readonly denied: number;
  readonly cause: Cause;
}

/** A session with a client that can be told something. */
export interface ClientOfSession {
  readonly id: SessionId;
  readonly ports: { readonly client: Pick<Client, "tell"> };
}

/** The line that reports a refusal or a stop. A user quotes the session id in it to the administrator. */
export const refusalLine = (message: string, { id }: Pick<ClientOfSession, "id">): string =>
  `nixgate: ${message} (session ${id})`;

export function tellClient(session: ClientOfSession, message: string): void {
  session.ports.client.tell(refusalLine(message, session));
}

/** A session that can be refused. The host's configuration is missing where it cannot be read. */
export interface RefusableSession extends ClientOfSession {
  readonly configuration: { readonly host: Pick<HostConfig, "messages"> | undefined };
}

/** Tells the client of a refusal, in one line that ends with the host's contact. */
export function tellRefusal(session: RefusableSession, message: string): void {
  const contact = session.configuration.host?.messages.contact;
  const line = refusalLine(message, session);
  session.ports.client.tell(contact === undefined ? line : `${line}; contact: ${escapeText(contact)}`);
}
