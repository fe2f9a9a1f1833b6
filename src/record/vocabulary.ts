/** What a record of the host is about: each is a chain of its own with this one record. */
export const HOST_EVENTS = ["host.close", "host.open"] as const;
export type HostEvent = (typeof HOST_EVENTS)[number];

/** What a record can be about, in the order in which a session writes them; then those of the host. */
export const EVENTS = [
  "session.start",
  "session.refuse",
  "command.deny",
  "command.start",
  "command.end",
  "session.end",
  ...HOST_EVENTS,
] as const;
export type RecordEvent = (typeof EVENTS)[number];

export const isHostEvent = (event: RecordEvent): event is HostEvent => event.startsWith("host.");

/** How a command or a session came to its end. */
export const CAUSES = [
  "exit",
  "signal",
  "oom",
  "tasks-limit",
  "timeout",
  "client-gone",
  "supervisor-lost",
  "killed-by-admin",
  "scope-failed",
  "exec-failed",
  "internal",
] as const;
export type RecordCause = (typeof CAUSES)[number];

/** Whose limit a command ran into: its own, its team's, one around the team, or nobody's: the host had no more. */
export const LIMITS_OF = ["own", "team", "around", "host"] as const;
export type LimitOf = (typeof LIMITS_OF)[number];

/** Why a request or a whole session was turned away. */
export const REASONS = [
  "not-allowlisted",
  "malformed",
  "too-long",
  "store-not-allowed",
  "option-not-allowed",
  "terminal",
  "subsystem",
  "too-many-commands",
  "read-timeout",
  "closed",
  "policy-invalid",
  "unknown-team",
  "unknown-member",
  "not-by-sshd",
  "team-busy",
  "host-busy",
  "rate",
  "log-full",
  "scope-unavailable",
  "log-unavailable",
] as const;
export type RecordReason = (typeof REASONS)[number];

/** `command`: one request in SSH_ORIGINAL_COMMAND; `loop`: one request a line. */
export const MODES = ["command", "loop"] as const;

/** What holds a command: a scope of the user manager, of the system manager, or nothing but rlimits. */
export const ISOLATIONS = ["scope-user", "scope-system", "process"] as const;

/** The folder, and the `team`, of sessions that came without a valid team. */
export const UNASSIGNED = "_unassigned";

/** The folder, and the `team`, of records that belong to no session: root's alone. */
export const HOST = "_host";
