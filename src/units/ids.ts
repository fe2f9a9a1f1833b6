import type { Branded } from "./branded.ts";

export type TeamName = Branded<string, "team">;
export type MemberName = Branded<string, "member">;
/** A UUIDv7 (RFC 9562) in its usual form. Ids sort by the session's start. */
export type SessionId = Branded<string, "session">;
/** The number of a process, in the namespace of this process (pid_namespaces(7)). */
export type Pid = Branded<number, "pid">;
/** The number of an open file in this process (open(2)), or in the process whose /proc/PID/fd is read. */
export type Fd = Branded<number, "fd">;

export const NAME_PATTERN = /^[a-z][a-z0-9-]{0,31}$/;
const SESSION_PATTERN = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/**
 * The text as a team's name, or undefined where it is not valid. The name becomes a file name and a unit name, so no
 * other characters are allowed.
 */
export function teamName(text: string): TeamName | undefined {
  return NAME_PATTERN.test(text) ? (text as TeamName) : undefined;
}

/** The text as a member's name, or undefined where it is not valid. The alphabet is that of a team's name. */
export function memberName(text: string): MemberName | undefined {
  return NAME_PATTERN.test(text) ? (text as MemberName) : undefined;
}

/** The text as a session's id, or undefined where it is not valid. */
export function sessionId(text: string): SessionId | undefined {
  return SESSION_PATTERN.test(text) ? (text as SessionId) : undefined;
}

/** Marks a number from the kernel, a record or a message as a process's. The number is not checked. */
export const toPid = (number: number): Pid => number as Pid;

/** Marks a number from open(2), systemd or a listing of /proc as an open file's. The number is not checked. */
export const toFd = (number: number): Fd => number as Fd;

/**
 * Makes a UUIDv7 from its parts (RFC 9562, section 5.7).
 * @param unixMs milliseconds since 1970, below 2^48
 * @param random at least 10 random bytes
 */
export function makeSessionId(unixMs: number, random: Uint8Array): SessionId {
  const bytes = new Uint8Array(16);
  for (let i = 0; i < 6; i += 1) bytes[i] = Math.floor(unixMs / 2 ** (8 * (5 - i))) & 0xff;
  bytes.set(random.subarray(0, 10), 6);
  bytes[6] = ((bytes[6] ?? 0) & 0x0f) | 0x70;
  bytes[8] = ((bytes[8] ?? 0) & 0x3f) | 0x80;
  const hex = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join(
    "-",
  ) as SessionId;
}

/**
 * The UTC day on which a session began, `YYYY-MM-DD`, read from its id. The team's file of that day holds the session.
 * @param later milliseconds to add to the session's start
 */
export function dayOfSession(id: string, later = 0): string {
  const began = Number.parseInt(id.slice(0, 8) + id.slice(9, 13), 16);
  return new Date(began + later).toISOString().slice(0, 10);
}
