import { describe, expect, test } from "vitest";
import { ECS_VERSION, ecsEvents } from "../../../../src/report/exports/ecs.ts";
import { bodies, sessionLines } from "../../../support/records.ts";
import { told, toldOfHost, wholeOf } from "../../../support/report-sessions.ts";

/** name → type, from generated/csv/fields.csv of elastic/ecs at v9.4.0; only fields that are used here. */
const FIELDS: Readonly<Record<string, string>> = Object.fromEntries(
  `@timestamp date|message match_only_text|ecs.version keyword|event.kind keyword|event.module keyword
event.dataset keyword|event.provider keyword|event.action keyword|event.id keyword|event.sequence long|event.hash keyword
event.category keyword[]|event.type keyword[]|event.outcome keyword|event.reason keyword|event.code keyword
event.duration long|event.start date|event.end date|host.name keyword|host.hostname keyword|host.boot.id keyword
service.name keyword|service.type keyword|service.version keyword|user.name keyword|user.id keyword
source.address keyword|source.ip ip|source.port long|destination.address keyword|destination.ip ip|destination.port long
related.user keyword[]|related.ip ip[]|rule.name keyword|process.entity_id keyword|process.args keyword[]
process.args_count long|process.command_line wildcard|process.executable keyword|process.name keyword|process.pid long
process.start date|process.end date|process.exit_code long`
    .split(/[|\n]/)
    .map((field) => field.split(" ")),
);

/** Values and pairs that event.kind, event.outcome and event.category allow: schemas/event.yml of the same. */
const PAIRS: Readonly<Record<string, readonly string[]>> = {
  session: ["start", "end", "info"],
  process: ["access", "change", "end", "info", "start"],
  configuration: ["access", "change", "creation", "deletion", "info"],
  network: ["access", "allowed", "connection", "denied", "end", "info", "protocol", "start"],
};

const IS: Readonly<Record<string, (value: unknown) => boolean>> = {
  keyword: (value) => typeof value === "string" && value !== "",
  wildcard: (value) => typeof value === "string",
  match_only_text: (value) => typeof value === "string",
  long: Number.isSafeInteger,
  date: (value) => typeof value === "string" && new Date(value).toISOString() === value,
  ip: (value) => typeof value === "string" && /^(?:[\d.]+|[0-9a-fA-F:.]+)$/.test(value),
};

function* leaves(value: object, prefix = ""): Generator<[string, unknown]> {
  for (const [name, inner] of Object.entries(value)) {
    if (typeof inner === "object" && inner !== null && !Array.isArray(inner)) yield* leaves(inner, `${prefix}${name}.`);
    else yield [prefix + name, inner];
  }
}

function problems(event: object): string[] {
  const { nixgate: _, ...common } = event as { nixgate: object };
  return [...leaves(common)].flatMap(([name, value]) => {
    const type = FIELDS[name];
    if (type === undefined) return [`${name}: no field of ECS ${ECS_VERSION}`];
    const values = type.endsWith("[]") ? (Array.isArray(value) ? value : [undefined]) : [value];
    return values.every(IS[type.replace("[]", "")]!) ? [] : [`${name}: ${JSON.stringify(value)} is no ${type}`];
  });
}

interface Event {
  readonly event: {
    readonly kind: string;
    readonly outcome: string;
    readonly category: string[];
    readonly type: string[];
  };
}

describe.each(Object.entries({ ...told, ...toldOfHost }))("a session or a host that is %s", (_, { lines }) => {
  const events = ecsEvents(wholeOf(lines)) as readonly Event[];

  test("is one event a record", () => expect(events).toHaveLength(lines.length));

  test.each(events)("event %# has fields of ECS only, of their types", (event) => expect(problems(event)).toEqual([]));

  test.each(events)("event %# is categorised as ECS allows", ({ event }) => {
    expect(event.kind).toBe("event");
    expect(["success", "failure", "unknown"]).toContain(event.outcome);
    for (const category of event.category)
      expect(
        PAIRS[category]?.some((type) => event.type.includes(type)),
        category,
      ).toBe(true);
    for (const type of event.type)
      expect(
        event.category.some((category) => PAIRS[category]?.includes(type)),
        type,
      ).toBe(true);
  });
});

test("a link-local address is one without its zone, which stays in the address", () => {
  const over = { ip: "fe80::1%eth0", port: 51234 };
  const [event] = ecsEvents(wholeOf(sessionLines("2026-01-05T03:12:00Z", [{ ...bodies.start, client: over }]).lines));
  expect(problems(event as Event)).toEqual([]);
  expect(event).toMatchObject({
    source: { address: "fe80::1%eth0", ip: "fe80::1", port: 51234 },
    related: { ip: ["fe80::1", "10.0.0.1"] },
  });
});

test("an event says who, from where, what and how it ended", () => {
  const events = ecsEvents(wholeOf(told.usual.lines));
  expect(events[3]).toMatchObject({
    "@timestamp": "2026-01-05T03:12:03.000Z",
    event: { action: "command.end", outcome: "success", duration: 9_800_000_000 },
    user: { name: "nix-alpha", id: "990" },
    source: { ip: "10.0.0.5", port: 51234 },
    process: { args: ["/usr/bin/nix-store", "--serve", "--write"], exit_code: 0, pid: 4712 },
    nixgate: { team: "alpha", member: "ci", usage: { cpu_ms: 3100 } },
  });
  expect(events[1]).toMatchObject({
    event: { outcome: "failure", type: ["info", "denied"], reason: "not-allowlisted" },
  });
});

test("what is no address never stands in a field of type ip", () => {
  expect(ecsEvents(wholeOf(told.killed.lines))[0]).toMatchObject({ source: { address: "unknown", port: 1 } });
  expect(JSON.stringify(ecsEvents(wholeOf(told.killed.lines)))).not.toContain('"ip":"unknown"');
});
