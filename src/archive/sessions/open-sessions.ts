import type { AddedLine } from "../archive.ts";

/**
 * The start of a record's line, as append in chain.ts writes it. The start identifies the event without parsing the
 * line.
 */
const HEAD = /^\{"v":1,"time":"[^"]*","event":"([a-z.]+)","session":"([0-9a-f-]{36})"/;

/** More than a record's start can have: `time`, `event` and `session` have bounded lengths. */
const HEAD_BYTES = 160;

/** What the start of a line says, without parsing JSON. */
export const headOf = (line: Buffer) => headIn(line.toString("latin1", 0, HEAD_BYTES));

function headIn(text: string): { readonly event: string; readonly session: string } | undefined {
  const [, event, session] = HEAD.exec(text) ?? [];
  return event === undefined || session === undefined ? undefined : { event, session };
}

/** The lines of a session that has no session.end so far. */
export interface OpenSession {
  readonly session: string;
  /** The folder that its lines are in. */
  readonly team: string;
  /** The line of its session.start. */
  readonly start: string;
  /** The line of the command.start that has no command.end so far; undefined between two commands. */
  command: string | undefined;
}

/**
 * Finds the sessions that have begun and not ended, over lines in the order of their files. The function parses no
 * JSON, because there are many lines. Memory holds only the open sessions. Two teams with the same id are two sessions,
 * because an account can write another session's id into its team's files.
 */
export function openSessions() {
  const open = new Map<string, OpenSession>();
  return {
    /** Adds the next line. A line without a record's start is skipped. */
    take({ team, text }: AddedLine): void {
      const head = headIn(text);
      if (!head) return;
      const { event, session } = head;
      const key = keyOf({ team, session });
      if (event === "session.start") open.set(key, { session, team, start: text, command: undefined });
      else if (event === "session.end") open.delete(key);
      const known = open.get(key);
      if (known && event === "command.start") known.command = text;
      else if (known && event === "command.end") known.command = undefined;
    },
    /** Removes a session whose end will never be written. */
    drop: (session: Pick<OpenSession, "team" | "session">): boolean => open.delete(keyOf(session)),
    all: (): readonly OpenSession[] => [...open.values()],
  };
}

const keyOf = ({ team, session }: Pick<OpenSession, "team" | "session">) => `${team}/${session}`;
