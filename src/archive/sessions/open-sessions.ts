/**
 * The start of a record's line, as append in chain.ts writes it. The start identifies the event without parsing the
 * line.
 */
const HEAD = /^\{"v":1,"time":"[^"]*","event":"([a-z.]+)","session":"([0-9a-f-]{36})"/;

/** The lines of a session that has no session.end so far. */
export interface OpenSession {
  readonly session: string;
  /** The line of its session.start. */
  readonly start: string;
  /** The line of the command.start that has no command.end so far; undefined between two commands. */
  command: string | undefined;
}

/**
 * Finds the sessions that have begun and not ended, over lines in the order of their files. The function parses no
 * JSON, because there are many lines. Memory holds only the open sessions.
 */
export function openSessions() {
  const open = new Map<string, OpenSession>();
  return {
    /** Adds the next line. A line without a record's start is skipped. */
    take(line: string): void {
      const [, event, session] = HEAD.exec(line) ?? [];
      if (session === undefined) return;
      if (event === "session.start") open.set(session, { session, start: line, command: undefined });
      else if (event === "session.end") open.delete(session);
      const known = open.get(session);
      if (known && event === "command.start") known.command = line;
      else if (known && event === "command.end") known.command = undefined;
    },
    /** Removes a session whose end will never be written. */
    drop: (session: string): boolean => open.delete(session),
    all: (): readonly OpenSession[] => [...open.values()],
  };
}
