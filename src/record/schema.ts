import * as z from "zod/mini";
import { countField, durationField, figure, maybe, maybeText, recordField, textField } from "./field.ts";
import { hostBodies, lockField } from "./host-bodies.ts";
import { keyField } from "./key-field.ts";
import { BUILDS_BOUNDED_BY, CAUSES, type HostEvent, ISOLATIONS, LIMITS_OF, MODES, REASONS } from "./vocabulary.ts";

/**
 * The one definition of every record. The writer's types and the readers' check come from it, as do the field table and
 * the JSON Schema. Unknown fields are no error, so that an older reader can read a newer archive.
 */
const DIGEST = /^[0-9a-f]{64}$/;
const UUID_V7 = /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
const RFC3339_MS = /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/;
const digest = (description: string) => recordField(z.string().check(z.regex(DIGEST)), description, "hex");
const address = z.object({ ip: textField("IPv4 or IPv6 address"), port: recordField(z.int(), "TCP port") });
/** sshd reports `UNKNOWN 65535` for a connection over AF_UNIX (systemd-ssh-generator(8)). */
const NO_ADDRESS = "not started by sshd, or over a socket without addresses: AF_UNIX, AF_VSOCK";
const request = textField("the client's request, escaped, cut at 4096 bytes");
const n = recordField(z.int().check(z.gte(1)), "number of the request within the session, from 1");
/** What holds the builds of a command, as `command.start` has it. */
const boundsOfBuilds = maybe(
  z.enum(BUILDS_BOUNDED_BY),
  "what holds the builds that it asks Nix's daemon for: this command's limits, or `host`: none of nixgate's",
  "an older nixgate wrote it: as `host`",
);

/** CLOCK_MONOTONIC of clock_gettime(2). All processes of a boot share it, and no process can set it. */
const sinceBoot = (description: string, absent: string) =>
  maybe(z.int().check(z.gte(0)), `${description}, by CLOCK_MONOTONIC: since boot, without suspend`, absent, "ms");
const settings = () => z.record(z.string(), z.union([z.string(), z.number()]));

/** The first fields of every record, in this order. */
const head = {
  v: recordField(z.literal(1), "version of the record format"),
  time: recordField(
    z.string().check(z.regex(RFC3339_MS)),
    "the session's arrival plus the time since then by a monotonic clock; RFC 3339, UTC",
    "ms",
  ),
  session: recordField(
    z.string().check(z.regex(UUID_V7)),
    "UUIDv7 of the session, or of the record where it is of no session; sorts by its start",
  ),
  seq: countField("position within the session: 0, 1, 2, …"),
  team: textField(
    "the session's team; `_unassigned` where it came without a valid one; `_host` where the record is of no session",
  ),
  host: textField("the host's name"),
  boot: textField("boot id, as /proc/sys/kernel/random/boot_id has it"),
};
/** The last fields of every record, in this order. */
const tail = {
  prev: digest("`hash` of the session's record before this one; 64 zeros in the first"),
  hash: digest('SHA-256 of the line\'s bytes in front of `,"hash":`'),
};
const cause = recordField(z.enum(CAUSES), "the cause of the end");
const reason = recordField(z.enum(REASONS), "the reason of the refusal");

export const bodies = {
  "session.start": z.object({
    event: z.literal("session.start"),
    member: maybeText("the team's member", "the forced command named none"),
    user: textField("the account"),
    uid: countField("the account's number"),
    client: maybe(address, "the client's end of the connection", NO_ADDRESS),
    server: maybe(address, "the server's end of the connection", NO_ADDRESS),
    key: keyField,
    mode: recordField(z.enum(MODES), "one request, or one a line"),
    policy: maybe(
      z.object({ path: textField("the policy file"), sha256: digest("SHA-256 of its bytes") }),
      "the policy that was in force",
      "there was none that could be read",
    ),
    nixgate: textField("nixgate's version"),
    pid: countField("process that serves the session"),
    started_ticks: figure("start time of that process since boot: field 22 of proc_pid_stat(5)", "ticks of 10 ms"),
    machine: maybeText(
      "SHA-256 of /etc/machine-id with a prefix of nixgate's: the host under any name",
      "there is none",
    ),
    monotonic_ms: sinceBoot("when the session arrived", "the record is of an older nixgate"),
    delayed_ms: maybe(
      z.int().check(z.gte(0)),
      "the delay by the supervisor in favour of other sessions of its team",
      "it was less than a second",
      "ms",
    ),
    isolation: recordField(z.enum(ISOLATIONS), "the isolation of the commands"),
  }),
  "session.refuse": z.object({
    event: z.literal("session.refuse"),
    reason,
    message: textField("the reason in plain words, as the client saw it"),
    lock: lockField("the reason is another one"),
  }),
  "command.deny": z.object({
    event: z.literal("command.deny"),
    n,
    request,
    request_sha256: digest("SHA-256 of the request's exact bytes"),
    reason,
    rule: recordField(z.nullable(z.string()), "the rule that came nearest; null where none did"),
  }),
  "command.start": z.object({
    event: z.literal("command.start"),
    n,
    request,
    rule: textField("the policy's rule that allowed it"),
    argv: recordField(z.array(z.string()), "the executed command line, word by word"),
    matched: maybe(
      z.array(z.object({ placeholder: z.string(), word: z.string() })),
      "the words of the request that the rule's placeholders took, in order",
      "the rule has none",
    ),
    isolation: maybe(z.enum(ISOLATIONS), "the isolation of this command", "what `session.start` says"),
    unit: maybeText("the command's scope", "it ran without systemd"),
    invocation: maybeText("systemd's INVOCATION_ID of the scope", "it ran without systemd, or systemd did not say"),
    pid: maybe(z.int().check(z.gte(1)), "the process that became the command", "there was no scope to start it in"),
    monotonic_ms: sinceBoot("when its scope began", "there was no scope to start it in"),
    builds_bounded_by: boundsOfBuilds,
    limits: recordField(
      z.object({
        asked: recordField(settings(), "properties of the policy, by their names in systemd.resource-control(5)"),
        applied: recordField(settings(), "the limits in force in the kernel when the command began"),
      }),
      "limits asked for and in force",
    ),
  }),
  "command.end": z.object({
    event: z.literal("command.end"),
    n,
    cause,
    exit_code: maybe(z.int(), "the command's own exit status", "a signal ended it, it never ran, or it still runs"),
    signal: maybeText(
      "name of the signal that ended it: `SIGKILL`",
      "it ended by itself, it never ran, or it still runs",
    ),
    status: maybe(
      z.int(),
      "the status that counts if it was ended from outside: 143, or 137 after SIGKILL",
      "it was not ended from outside: its own counts",
    ),
    message: maybeText("why it never began", "it did"),
    limit_of: maybe(
      z.enum(LIMITS_OF),
      "the owner of the limit that it reached: the command, the team, a slice above the team, or none because the host had no more",
      "the cause is neither `oom` nor `tasks-limit`",
    ),
    wall_ms: durationField("from start to end"),
    usage: recordField(
      z.object({
        cpu_ms: figure("CPU time of all processes, user and system", "ms"),
        cpu_throttled_ms: figure("time that CPUQuota held it back", "ms"),
        memory_peak_bytes: figure("highest memory ever held", "bytes"),
        tasks_peak: figure("most processes and threads at one time"),
        oom_kills: figure("processes that the OOM killer ended"),
        tasks_refused: figure("forks that TasksMax refused"),
        io_read_bytes: figure("read from block devices", "bytes"),
        io_write_bytes: figure("written to block devices", "bytes"),
      }),
      "the kernel's own counters of the scope",
    ),
    leftovers: maybe(
      z.int().check(z.gte(0)),
      "processes that were left over and were ended",
      "it could not be read; without a cgroup, none was seen",
    ),
    survivors: maybe(
      z.array(
        z.object({
          pid: countField("its number"),
          uid: maybe(z.int(), "its account's number", "/proc does not show it"),
          name: maybeText("its program's name, escaped", "/proc does not show it"),
        }),
      ),
      "processes that could not be ended, 100 at most",
      "there are none",
    ),
  }),
  "session.end": z.object({
    event: z.literal("session.end"),
    exit: recordField(z.int(), "exit status of the session"),
    commands: countField("commands that were started"),
    denied: countField("requests that were denied"),
    summed_up: maybe(
      z.int().check(z.gte(1)),
      "earlier refused sessions of the team that were only counted",
      "there were none",
    ),
    wall_ms: durationField("from the session's arrival to here, as `time` has it"),
    cause,
    lock: lockField("no lock ended it"),
    strays: maybe(
      z.int().check(z.gte(0)),
      "processes of the account outside of all its sessions, ended while this one ran or at its end",
      "none were looked for: another manager, or no command",
    ),
  }),
  ...hostBodies,
} as const;

const whole = <T extends z.core.$ZodLooseShape>(body: z.ZodMiniObject<T>) =>
  z.extend(z.extend(z.object(head), body.shape), tail);

/** Any record; `event` tells the kind. */
export const SessionRecord = z.discriminatedUnion("event", [
  whole(bodies["session.start"]),
  whole(bodies["session.refuse"]),
  whole(bodies["command.deny"]),
  whole(bodies["command.start"]),
  whole(bodies["command.end"]),
  whole(bodies["session.end"]),
  whole(bodies["host.close"]),
  whole(bodies["host.open"]),
  whole(bodies["lock.set"]),
  whole(bodies["lock.lift"]),
]);
export type SessionRecord = z.infer<typeof SessionRecord>;
export type RecordOf<Event extends SessionRecord["event"]> = Extract<SessionRecord, { event: Event }>;

/** The session's part of a record. The chain adds the head and the tail. */
export type RecordBody = { [Event in keyof typeof bodies]: z.infer<(typeof bodies)[Event]> }[keyof typeof bodies];

/** The body of a record of the host: an action of the administrator that belongs to no session. */
export type HostBody = Extract<RecordBody, { event: HostEvent }>;

export const commonFields = { head, tail };
