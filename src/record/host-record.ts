import type { SessionId } from "../units/ids.ts";
import { type Appended, append, openChain } from "./chain.ts";
import type { HostBody } from "./schema.ts";
import { HOST } from "./vocabulary.ts";

/** The place and time of an action of root that belongs to no session. */
export interface HostMoment {
  /** A new id of a session's form. The record is a chain of its own. */
  readonly id: SessionId;
  readonly host: string;
  readonly boot: string;
  /** Milliseconds since 1970. Its UTC day names the file. */
  readonly time: number;
}

/**
 * The record of an action of root that belongs to no session. It is the only one of its chain, in the folder of HOST.
 * @throws RecordError E_RECORD_LENGTH
 */
export function hostRecord({ id, host, boot, time }: HostMoment, body: HostBody): Appended<HostBody["event"]> {
  return append(openChain({ session: id, team: HOST, host, boot }), time, body);
}
