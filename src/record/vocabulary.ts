/** The events of the host. Each has a chain of its own with this one record. */
export const HOST_EVENTS = ["host.close", "host.open", "lock.set", "lock.lift"] as const;
export type HostEvent = (typeof HOST_EVENTS)[number];

/** All events, in the order in which a session writes them; then those of the host. */
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

const OF_THE_HOST: ReadonlySet<RecordEvent> = new Set(HOST_EVENTS);
export const isHostEvent = (event: RecordEvent): event is HostEvent => OF_THE_HOST.has(event);

/** Why a command or a session ended. */
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

/** What holds the builds of a command. */
export const BUILDS_BOUNDED_BY = ["session", "host"] as const;

/** The owner of the limit that a command hit: the command, its team, an ancestor of the team's slice, or the host. */
export const LIMITS_OF = ["own", "team", "ancestor", "host"] as const;
export type LimitOf = (typeof LIMITS_OF)[number];

/** Why a request or a whole session was refused. */
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
  "member-expired",
  "locked",
  "not-by-sshd",
  "team-busy",
  "host-busy",
  "rate",
  "log-full",
  "cpu-pressure",
  "memory-pressure",
  "io-pressure",
  "store-full",
  "scope-unavailable",
  "log-unavailable",
] as const;
export type RecordReason = (typeof REASONS)[number];

/** `command`: one request in SSH_ORIGINAL_COMMAND; `loop`: one request a line. */
export const MODES = ["command", "loop"] as const;

/** The isolation of a command: a scope of the user manager, a scope of the system manager, or rlimits only. */
export const ISOLATIONS = ["scope-user", "scope-system", "process"] as const;

/** The folder, and the `team`, of sessions without a valid team. */
export const UNASSIGNED = "_unassigned";

/** The folder, and the `team`, of records that belong to no session. Only root writes to it. */
export const HOST = "_host";
