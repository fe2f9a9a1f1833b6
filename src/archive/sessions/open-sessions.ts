/** What a record's line begins with, as append in chain.ts writes it: enough to tell lines apart without reading them. */
const HEAD = /^\{"v":1,"time":"[^"]*","event":"([a-z.]+)","session":"([0-9a-f-]{36})"/;

/** The lines of a session that has no session.end so far. */
export interface OpenSession {
  readonly session: string;
  /** Of its session.start. */
  readonly start: string;
  /** Of the command.start that has no command.end so far; undefined between two commands. */
  command: string | undefined;
}

/**
 * Which sessions have begun and not ended, over lines in the order of their files. Made for many lines: nothing is
 * read as JSON, and memory is that of the open sessions.
 */
export function openSessions() {
  const open = new Map<string, OpenSession>();
  return {
    /** Takes the next line in. What is no record's beginning is passed over. */
    take(line: string): void {
      const [, event, session] = HEAD.exec(line) ?? [];
      if (session === undefined) return;
      if (event === "session.start") open.set(session, { session, start: line, command: undefined });
      else if (event === "session.end") open.delete(session);
      const known = open.get(session);
      if (known && event === "command.start") known.command = line;
      else if (known && event === "command.end") known.command = undefined;
    },
    /** Forgets a session: nobody will write its end. */
    drop: (session: string): boolean => open.delete(session),
    all: (): readonly OpenSession[] => [...open.values()],
  };
}
