import type { RecordOf, SessionRecord } from "../../src/record/schema.ts";
import type { Guest } from "./support.ts";

/** A team's records in the guest, in the order in which they were written. */
export async function records(guest: Guest, team: string): Promise<readonly SessionRecord[]> {
  const { stdout } = await guest.asRoot(`cat /var/log/nixgate/${team}/*.jsonl 2>/dev/null`);
  return `${stdout}`
    .split("\n")
    .slice(0, -1) // behind the last newline nothing stands, or a line that is just being written
    .filter((line) => line !== "") // of a writer that found another's line half written
    .map((line) => JSON.parse(line));
}

/** Those of one event. */
export async function recordsOf<Event extends SessionRecord["event"]>(
  guest: Guest,
  team: string,
  event: Event,
): Promise<readonly RecordOf<Event>[]> {
  return (await records(guest, team)).filter((record): record is RecordOf<Event> => record.event === event);
}

/** What the client's line on stderr calls the session. */
export function sessionIn(stderr: Buffer | string): string | undefined {
  return /\(session ([0-9a-f-]{36})\)/.exec(`${stderr}`)?.[1];
}
