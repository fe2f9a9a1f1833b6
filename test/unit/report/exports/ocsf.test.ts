import { describe, expect, test } from "vitest";
import { OCSF_VERSION, ocsfEvents } from "../../../../src/report/exports/ocsf.ts";
import { told, toldOfHost, wholeOf } from "../../../support/report-sessions.ts";

/**
 * The attributes of each class and object that is used here, `!` for a required one, `name:object` where an attribute
 * is an object: events/ and objects/ of ocsf/ocsf-schema at v1.8.0, those that are used here.
 */
const BASE =
  "activity_id! category_uid! class_uid! type_uid! severity_id! time! metadata!:metadata message status_id status_code status_detail duration start_time end_time unmapped:any";
const SCHEMA: Readonly<Record<string, string>> = {
  3002: `${BASE} user!:user auth_protocol auth_protocol_id is_remote logon_type_id service:service session:session src_endpoint:network_endpoint dst_endpoint:network_endpoint actor:actor`,
  1007: `${BASE} actor!:actor device!:device process!:process exit_code launch_type_id`,
  6002: `${BASE} app!:product`,
  host: "actor:actor device:device",
  security_control: "action_id disposition_id",
  metadata:
    "product!:product version! correlation_uid event_code log_name log_version original_time profiles sequence uid",
  product: "name vendor_name version",
  user: "name uid uid_alt type_id groups:group",
  group: "name",
  session: "uid uuid created_time is_remote credential_uid",
  service: "name version",
  network_endpoint: "ip port name hostname svc_name",
  actor: "session:session user:user",
  device: "type_id! hostname boot_uid os:os",
  os: "name! type_id!",
  process: "uid pid cmd_line created_time terminated_time name file:file",
  file: "name! type_id! path",
};
const AT_LEAST_ONE: Readonly<Record<string, readonly string[]>> = {
  3002: ["service", "dst_endpoint"],
  process: ["pid", "uid", "cpid"],
  user: ["account", "name", "uid"],
  actor: ["process", "user", "session"],
  network_endpoint: ["ip", "uid", "name", "hostname", "svc_name"],
};
/** Closed sets of numbers, by attribute. */
const ENUMS: Readonly<Record<string, readonly number[]>> = {
  severity_id: [0, 1, 2, 3, 4, 5, 6, 99],
  status_id: [0, 1, 2, 99],
  logon_type_id: [0, 1, 2, 3, 4, 5, 7, 8, 9, 10, 11, 12, 13, 99],
  launch_type_id: [0, 1, 2, 3, 99],
  auth_protocol_id: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 99],
  action_id: [0, 1, 2, 3, 4, 99],
};
const ACTIVITIES: Readonly<Record<number, readonly number[]>> = {
  3002: [0, 1, 2, 3, 4, 5, 6, 7, 99],
  1007: [0, 1, 2, 3, 4, 5, 99],
  6002: [0, 1, 2, 3, 4, 5, 6, 7, 8, 99],
};

type Attributes = Readonly<Record<string, unknown>>;

function problems(value: Attributes, kinds: readonly string[], path = ""): string[] {
  const known = new Map(
    kinds
      .flatMap((kind) => SCHEMA[kind]!.split(" "))
      .map((word) => {
        const [name = "", object] = word.split(":");
        return [name.replace("!", ""), { required: name.endsWith("!"), object }] as const;
      }),
  );
  const missing = [...known].filter(([name, { required }]) => required && value[name] === undefined);
  const choices = kinds.flatMap((kind) =>
    AT_LEAST_ONE[kind]?.every((name) => value[name] === undefined) ? [kind] : [],
  );
  const inner = Object.entries(value).flatMap(([name, own]) => {
    const attribute = known.get(name);
    if (!attribute) return [`${path}${name}: no attribute of ${kinds}`];
    if (ENUMS[name] && !ENUMS[name].includes(own as number)) return [`${path}${name}: ${own}`];
    const { object } = attribute;
    if (object === undefined)
      return typeof own === "object" && !Array.isArray(own) ? [`${path}${name}: an object`] : [];
    if (object === "any") return [];
    return [own].flat().flatMap((one) => problems(one as Attributes, [object], `${path}${name}.`));
  });
  return [
    ...missing.map(([name]) => `${path}${name}: missing`),
    ...choices.map((kind) => `${path}${kind}: none of`),
    ...inner,
  ];
}

interface Event extends Attributes {
  readonly class_uid: number;
  readonly category_uid: number;
  readonly activity_id: number;
  readonly type_uid: number;
  readonly time: number;
  readonly metadata: { readonly version: string; readonly profiles: readonly string[] };
}

describe.each(Object.entries({ ...told, ...toldOfHost }))("a session or a host that is %s", (_, { lines }) => {
  const events = ocsfEvents(wholeOf(lines)) as readonly Event[];

  test("is one event a record", () => expect(events).toHaveLength(lines.length));

  test.each(events)("event %# has what its class demands, and nothing that it does not know", (event) => {
    expect(problems(event, [String(event.class_uid), ...event.metadata.profiles])).toEqual([]);
  });

  test.each(events)("event %# has ids that belong together", (event) => {
    expect(event.category_uid).toBe(Math.floor(event.class_uid / 1000));
    expect(ACTIVITIES[event.class_uid]).toContain(event.activity_id);
    expect(event.type_uid).toBe(event.class_uid * 100 + event.activity_id);
    expect(event.metadata.version).toBe(OCSF_VERSION);
    expect(Number.isSafeInteger(event.time)).toBe(true);
  });
});

test("each record becomes the activity that it is", () => {
  const types = (lines: readonly string[]) => (ocsfEvents(wholeOf(lines)) as Event[]).map(({ type_uid }) => type_uid);
  expect(types(told.usual.lines)).toEqual([300201, 100701, 100701, 100702, 300202]);
  expect(types(told.refused.lines)).toEqual([300201, 300201, 300202]);
});

test("what was denied says so, and by which reason", () => {
  expect(ocsfEvents(wholeOf(told.usual.lines))[1]).toMatchObject({
    action_id: 2,
    disposition_id: 2,
    status_id: 2,
    status_code: "not-allowlisted",
    process: { cmd_line: "rm -rf /" },
  });
});
