import type { WholeSession } from "../../archive/sessions/whole-sessions.ts";
import type { RecordOf, SessionRecord } from "../../record/schema.ts";

/** A session's first record of an event; undefined where it has none. */
export const recordOf = <Event extends SessionRecord["event"]>({ records }: WholeSession, event: Event) =>
  records.find((record): record is RecordOf<Event> => record.event === event);
