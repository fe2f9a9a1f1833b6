import type { WholeSession } from "../../archive/sessions/whole-sessions.ts";
import type { RecordOf, SessionRecord } from "../../record/schema.ts";
import { sentence } from "../../record/sentence.ts";
import { rest } from "../page/rest.ts";
import { plainAddress } from "./plain-address.ts";
import { recordOf } from "./record-of.ts";

/** Open Cybersecurity Schema Framework, https://schema.ocsf.io/1.8.0 (the files of ocsf/ocsf-schema at v1.8.0). */
export const OCSF_VERSION = "1.8.0";

/**
 * A session is a logon and a logoff: class Authentication (3002) of Identity & Access Management, which OCSF also uses
 * for sshd's own sessions. A command is class Process Activity (1007) of System Activity. A refusal is the same
 * activity with status Failure. A denied command also has the profile security_control.
 */
const AUTHENTICATION = { category_uid: 3, class_uid: 3002 };
const PROCESS_ACTIVITY = { category_uid: 1, class_uid: 1007 };
/** Closing or opening the builder is class Application Lifecycle (6002) of Application Activity. */
const APPLICATION_LIFECYCLE = { category_uid: 6, class_uid: 6002 };
const [ENABLE, DISABLE] = [6, 7];
const LOGON = 1;
const LOGOFF = 2;
const LAUNCH = 1;
const TERMINATE = 2;
const [SUCCESS, FAILURE] = [1, 2];
const [INFORMATIONAL, LOW, MEDIUM] = [1, 2, 3];
/** launch_type_id, logon_type_id, auth_protocol_id, user.type_id, device.type_id, os.type_id, file.type_id. */
const [EXEC, NETWORK, OTHER, SERVICE_ACCOUNT, SERVER, LINUX, EXECUTABLE] = [3, 3, 99, 4, 1, 200, 8];
/** security_control: action_id Denied, disposition_id Blocked. */
const BLOCKED = { action_id: 2, disposition_id: 2 };

/** Fields with an attribute in OCSF. All others keep their own names in `unmapped`. */
const MAPPED = ["time", "event", "session", "seq", "host", "boot", "user", "uid", "client", "server", "argv", "pid"];
MAPPED.push("exit_code", "wall_ms", "cause", "reason");

/** One OCSF event for each record of a session. */
export function ocsfEvents(session: WholeSession): readonly object[] {
  const start = recordOf(session, "session.start");
  return session.records.map((record) => {
    const { of, activity, profiles, ...own } = ownFields(record, session, start);
    return {
      ...of,
      activity_id: activity,
      type_uid: of.class_uid * 100 + activity,
      time: Date.parse(record.time),
      message: sentence(record),
      metadata: {
        version: OCSF_VERSION,
        product: { name: "nixgate", vendor_name: "nixgate", ...(start && { version: start.nixgate }) },
        profiles,
        uid: `${record.session}-${record.seq}`,
        event_code: record.event,
        sequence: record.seq,
        correlation_uid: record.session,
        original_time: record.time,
        log_name: "nixgate",
        log_version: String(record.v),
      },
      device: {
        hostname: record.host,
        type_id: SERVER,
        boot_uid: record.boot,
        os: { name: "Linux", type_id: LINUX },
      },
      ...own,
      unmapped: { ...rest(record, MAPPED), ...(start?.member !== undefined && { member: start.member }) },
    };
  });
}

interface Own {
  readonly of: { readonly category_uid: number; readonly class_uid: number };
  readonly activity: number;
  readonly profiles: readonly string[];
  readonly [attribute: string]: unknown;
}

function ownFields(record: SessionRecord, session: WholeSession, start: RecordOf<"session.start"> | undefined): Own {
  const logon = { of: AUTHENTICATION, activity: LOGON, profiles: ["host"], ...authentication(record, start) };
  const command = {
    of: PROCESS_ACTIVITY,
    profiles: ["host"],
    actor: { session: sessionOf(record, start), ...actor(record, start) },
  };
  switch (record.event) {
    case "session.start":
      return { ...logon, severity_id: INFORMATIONAL, status_id: SUCCESS };
    case "session.refuse":
      return {
        ...logon,
        severity_id: LOW,
        status_id: FAILURE,
        status_code: record.reason,
        status_detail: record.message,
      };
    case "session.end":
      return {
        ...logon,
        activity: LOGOFF,
        ...ended(record, record.exit === 0),
        status_code: String(record.exit),
        ...(record.summed_up !== undefined && { count: record.summed_up + 1 }),
      };
    case "command.deny":
      return {
        ...command,
        activity: LAUNCH,
        profiles: ["host", "security_control"],
        ...BLOCKED,
        severity_id: LOW,
        status_id: FAILURE,
        status_code: record.reason,
        process: { uid: processId(record), cmd_line: record.request },
      };
    case "command.start":
      return {
        ...command,
        activity: LAUNCH,
        launch_type_id: EXEC,
        severity_id: INFORMATIONAL,
        status_id: SUCCESS,
        process: processOf(record),
      };
    case "host.close":
    case "host.open":
    case "lock.set":
    case "lock.lift":
      return {
        of: APPLICATION_LIFECYCLE,
        activity: record.event === "host.close" || record.event === "lock.set" ? DISABLE : ENABLE,
        profiles: ["host"],
        app: { name: "nixgate", vendor_name: "nixgate" },
        actor: { user: { name: record.user, uid: String(record.uid) } },
        severity_id: INFORMATIONAL,
        status_id: SUCCESS,
      };
    case "command.end": {
      const started = session.records.find(
        (other): other is RecordOf<"command.start"> => other.event === "command.start" && other.n === record.n,
      );
      const ok = record.cause === "exit" && record.exit_code === 0;
      return {
        ...command,
        activity: TERMINATE,
        ...ended(record, ok),
        ...(record.exit_code !== undefined && { exit_code: record.exit_code }),
        process: {
          ...(started ? processOf(started) : { uid: processId(record) }),
          terminated_time: Date.parse(record.time),
        },
      };
    }
  }
}

/** The status of an ending, with a severity for endings that need attention. */
const ended = (record: RecordOf<"command.end"> | RecordOf<"session.end">, ok: boolean) => ({
  severity_id: ["supervisor-lost", "scope-failed", "exec-failed", "internal"].includes(record.cause)
    ? MEDIUM
    : record.cause === "exit"
      ? INFORMATIONAL
      : LOW,
  status_id: ok ? SUCCESS : FAILURE,
  status_detail: record.cause,
  duration: record.wall_ms,
  start_time: Math.max(0, Date.parse(record.time) - record.wall_ms),
  end_time: Date.parse(record.time),
});

function authentication(record: SessionRecord, start: RecordOf<"session.start"> | undefined) {
  return {
    ...(start?.key && { auth_protocol: `SSH public key (${start.key.type})`, auth_protocol_id: OTHER }),
    is_remote: start?.client !== undefined,
    logon_type_id: NETWORK,
    service: { name: "nixgate", ...(start && { version: start.nixgate }) },
    session: sessionOf(record, start),
    user: userOf(record, start),
    ...(start?.client && { src_endpoint: endpoint(start.client) }),
    ...(start?.server && { dst_endpoint: { ...endpoint(start.server), hostname: record.host, svc_name: "sshd" } }),
  };
}

const actor = (record: SessionRecord, start: RecordOf<"session.start"> | undefined) => ({
  user: userOf(record, start),
});

/** The account, with the team as its group and the team's member beside it. */
function userOf({ team }: SessionRecord, start: RecordOf<"session.start"> | undefined) {
  return {
    name: start?.user ?? team,
    ...(start && { uid: String(start.uid), type_id: SERVICE_ACCOUNT }),
    ...(start?.member !== undefined && { uid_alt: `${team}/${start.member}` }),
    groups: [{ name: team }],
  };
}

const sessionOf = ({ session }: SessionRecord, start: RecordOf<"session.start"> | undefined) => ({
  uid: session,
  uuid: session,
  ...(start && { created_time: Date.parse(start.time), is_remote: start.client !== undefined }),
  ...(start?.key && { credential_uid: start.key.fingerprint }),
});

/** OCSF has a type `ip`. A text that is no address, or has a zone, is kept as a name. */
function endpoint({ ip: address, port }: { readonly ip: string; readonly port: number }) {
  const ip = plainAddress(address);
  return { ...(ip !== address && { name: address }), ...(ip !== undefined && { ip }), port };
}

const processId = ({ session, n }: { readonly session: string; readonly n: number }) => `${session}-${n}`;

function processOf(record: RecordOf<"command.start">) {
  const [path] = record.argv;
  const name = path?.slice(path.lastIndexOf("/") + 1);
  return {
    uid: processId(record),
    ...(record.pid !== undefined && { pid: record.pid }),
    cmd_line: record.argv.join(" "),
    created_time: Date.parse(record.time),
    ...(path !== undefined && name !== undefined && { name, file: { name, path, type_id: EXECUTABLE } }),
  };
}
