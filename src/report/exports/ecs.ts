import type { WholeSession } from "../../archive/sessions/whole-sessions.ts";
import type { RecordOf, SessionRecord } from "../../record/schema.ts";
import { sentence } from "../../record/sentence.ts";
import type { HostEvent } from "../../record/vocabulary.ts";
import { rest } from "../page/rest.ts";
import { plainAddress } from "./plain-address.ts";
import { recordOf } from "./record-of.ts";

/** Elastic Common Schema, https://www.elastic.co/docs/reference/ecs (generated/csv/fields.csv of elastic/ecs v9.4.0). */
export const ECS_VERSION = "9.4.0";

/** Fields with a counterpart in ECS. All others keep their own names under `nixgate`. */
const MAPPED = ["v", "time", "event", "seq", "host", "boot", "hash", "client", "server", "user", "uid", "nixgate"];
MAPPED.push("argv", "exit_code", "message", "reason", "rule", "wall_ms");

/** ECS counts durations in nanoseconds. */
const NS_PER_MS = 1_000_000;

/** One ECS event for each record of a session. */
export function ecsEvents(session: WholeSession): readonly object[] {
  const start = recordOf(session, "session.start");
  return session.records.map((record) => {
    const { event, ...own } = ownFields(record, session);
    return {
      "@timestamp": record.time,
      message: sentence(record),
      ecs: { version: ECS_VERSION },
      event: {
        kind: "event",
        module: "nixgate",
        dataset: "nixgate.record",
        provider: "nixgate",
        action: record.event,
        id: `${record.session}-${record.seq}`,
        sequence: record.seq,
        hash: record.hash,
        ...event,
      },
      host: { name: record.host, hostname: record.host, boot: { id: record.boot } },
      service: { name: "nixgate", type: "nixgate", ...(start && { version: start.nixgate }) },
      ...(start && who(start)),
      ...own,
      nixgate: {
        record: record.v,
        ...rest(record, MAPPED),
        ...(start?.member !== undefined && { member: start.member }),
      },
    };
  });
}

/** The account that did it. The login account stays below `nixgate`. */
const doer = ({ user, uid }: RecordOf<HostEvent>) => ({
  user: { name: user, id: String(uid) },
  related: { user: [user] },
});

function who({ user, uid, client, server }: RecordOf<"session.start">) {
  const ips = [client, server].flatMap((end) => (end && plainAddress(end.ip)) ?? []);
  return {
    user: { name: user, id: String(uid) },
    ...(client && { source: endpoint(client) }),
    ...(server && { destination: endpoint(server) }),
    related: { user: [user], ...(ips.length > 0 && { ip: ips }) },
  };
}

/** Elasticsearch has a type `ip`, and refuses the whole event for a value that is no address. */
function endpoint({ ip: address, port }: { readonly ip: string; readonly port: number }) {
  const ip = plainAddress(address);
  return { address, ...(ip !== undefined && { ip }), port };
}

interface Own {
  readonly event: {
    readonly category: readonly string[];
    readonly type: readonly string[];
    readonly [name: string]: unknown;
  };
  readonly user?: object;
  readonly process?: object;
  readonly rule?: object;
}

/** The categories and types, paired as the schema requires (event.category's expected event types). */
function ownFields(record: SessionRecord, session: WholeSession): Own {
  switch (record.event) {
    case "session.start":
      return { event: { category: ["session"], type: ["start"], outcome: "success" } };
    case "session.end":
      return {
        event: {
          category: ["session"],
          type: ["end"],
          outcome: record.exit === 0 ? "success" : "failure",
          reason: record.cause,
          ...lasted(record),
        },
      };
    case "session.refuse":
      return {
        event: {
          category: ["session", "network"],
          type: ["info", "denied"],
          outcome: "failure",
          reason: record.message,
          code: record.reason,
        },
      };
    case "command.deny":
      return {
        event: {
          category: ["process", "network"],
          type: ["info", "denied"],
          outcome: "failure",
          reason: record.reason,
          code: record.reason,
        },
        process: { command_line: record.request },
        ...(record.rule !== null && { rule: { name: record.rule } }),
      };
    case "command.start":
      return {
        event: { category: ["process"], type: ["start"], outcome: "success" },
        process: { ...processOf(record), start: record.time },
        rule: { name: record.rule },
      };
    case "host.close":
    case "host.open":
    case "lock.set":
    case "lock.lift":
      return { event: { category: ["configuration"], type: ["change"], outcome: "success" }, ...doer(record) };
    case "command.end": {
      const started = session.records.find(
        (other): other is RecordOf<"command.start"> => other.event === "command.start" && other.n === record.n,
      );
      return {
        event: {
          category: ["process"],
          type: ["end"],
          outcome: record.cause === "exit" && record.exit_code === 0 ? "success" : "failure",
          reason: record.cause,
          ...lasted(record),
        },
        ...(record.message !== undefined && { error: { message: record.message } }),
        process: {
          ...(started && { ...processOf(started), start: started.time }),
          end: record.time,
          ...(record.exit_code !== undefined && { exit_code: record.exit_code }),
        },
      };
    }
  }
}

/**
 * A forged record can claim any duration. A duration that is no valid number of nanoseconds, or gives a start before
 * 1970, is left out.
 */
function lasted({ time, wall_ms }: { readonly time: string; readonly wall_ms: number }) {
  const duration = wall_ms * NS_PER_MS;
  const start = Date.parse(time) - wall_ms;
  return {
    ...(Number.isSafeInteger(duration) && { duration }),
    ...(start > 0 && { start: new Date(start).toISOString() }),
    end: time,
  };
}

function processOf({ argv, pid, session, n }: RecordOf<"command.start">) {
  const [executable] = argv;
  return {
    entity_id: `${session}-${n}`,
    args: argv,
    args_count: argv.length,
    command_line: argv.join(" "),
    ...(executable !== undefined && { executable, name: executable.slice(executable.lastIndexOf("/") + 1) }),
    ...(pid !== undefined && { pid }),
  };
}
