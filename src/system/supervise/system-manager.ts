import { createClient, type Message, type MessageBus, Variant, variantValue } from "dbus-native";
import pLimit from "p-limit";
import { type BusProperty, busProperty } from "../../scope/bus-properties.ts";
import type { Property } from "../../scope/properties.ts";
import { ScopeUnavailable } from "../../session/scope-unavailable.ts";
import { within } from "../clock.ts";

const BUS = "unix:path=/run/dbus/system_bus_socket";
const MANAGER = {
  destination: "org.freedesktop.systemd1",
  path: "/org/freedesktop/systemd1",
  interface: "org.freedesktop.systemd1.Manager",
} as const;
/** How long systemd may take for an answer or a job, in milliseconds. */
const PATIENCE_MS = 20_000;
/** A bus turns a call away while 128 others of the connection wait (max_replies_per_connection, dbus-daemon(1)). */
const CALLS_AT_A_TIME = 64;

export interface NewUnit {
  readonly name: string;
  readonly slice: string;
  readonly description: string;
  readonly properties: readonly Property[];
}

export interface NewScope extends NewUnit {
  /** The process that is moved into it. */
  readonly pid: number;
}

export interface NewService extends NewUnit {
  /** The account that its process runs as. */
  readonly user: string;
  /** Absolute. */
  readonly argv: readonly [string, ...string[]];
  /** What systemd opens as stdin, stdout and stderr. */
  readonly streams: readonly [string, string, string];
  readonly confinement: readonly { readonly bus: BusProperty }[];
}

/** systemd's system manager (org.freedesktop.systemd1(5)), for root. One connection for the whole life of a supervisor. */
export interface SystemManager {
  /** Makes a scope around a process, and its slice with it. Settles when it stands. @throws ScopeUnavailable */
  startScope(scope: NewScope): Promise<void>;
  /** Starts a service. Settles when its program has been executed. @throws ScopeUnavailable */
  startService(service: NewService): Promise<void>;
  /** The unit's invocation id, 32 hex digits; undefined where systemd does not say. */
  invocationOf(unit: string): Promise<string | undefined>;
  /** Changes a unit's properties until the next boot. @throws ScopeUnavailable */
  setProperties(unit: string, properties: readonly Property[]): Promise<void>;
}

export async function systemManager(address = BUS): Promise<SystemManager> {
  const bus = createClient({ busAddress: address, timeout: PATIENCE_MS, reconnect: true });
  const jobs = jobsOf(bus);
  const inTurn = pLimit(CALLS_AT_A_TIME);
  const invoke = (message: Message) => inTurn(() => bus.invoke(message));
  const call = async (member: string, signature: string, body: readonly unknown[]): Promise<unknown> => {
    try {
      return await invoke({ ...MANAGER, member, signature, body: [...body] });
    } catch (error) {
      throw new ScopeUnavailable(`systemd: ${error instanceof Error ? error.message : String(error)}`, error);
    }
  };
  await bus.addMatch(`type='signal',interface='${MANAGER.interface}',member='JobRemoved'`);
  await call("Subscribe", "", []);

  const start = async ({ name, slice, description, properties }: NewUnit, more: readonly BusProperty[]) => {
    const own: readonly BusProperty[] = [
      ["Description", "s", description],
      ["Slice", "s", slice],
      ["CollectMode", "s", "inactive-or-failed"],
      ...more,
      ...properties.map(busProperty),
    ];
    await jobs.during(async () => {
      const job = await call("StartTransientUnit", "ssa(sv)a(sa(sv))", [name, "fail", own.map(onWire), []]);
      await jobs.done(String(job), name);
    });
  };

  return {
    startScope: (scope) => start(scope, [["PIDs", "au", [scope.pid]]]),
    startService(service) {
      const [input, output, errors] = service.streams;
      return start(service, [
        ["Type", "s", "exec"],
        ["User", "s", service.user],
        ["ExecStart", "a(sasb)", [[service.argv[0], service.argv, false]]],
        ["StandardInputFile", "s", input],
        ["StandardOutputFile", "s", output],
        ["StandardErrorFile", "s", errors],
        ["OOMPolicy", "s", "continue"], // the supervisor stops it, and spares the process that reports the end
        ...service.confinement.map(({ bus }) => bus),
      ]);
    },
    async invocationOf(unit) {
      const asked = { destination: MANAGER.destination, path: objectOf(unit), member: "Get", signature: "ss" };
      const body = ["org.freedesktop.systemd1.Unit", "InvocationID"];
      try {
        const answer = await invoke({ ...asked, interface: "org.freedesktop.DBus.Properties", body });
        const id = Buffer.from(variantValue(answer) as Uint8Array).toString("hex");
        return id.length === 32 ? id : undefined;
      } catch {
        return undefined; // the unit is gone already
      }
    },
    async setProperties(unit, properties) {
      await call("SetUnitProperties", "sba(sv)", [unit, true, properties.map(busProperty).map(onWire)]);
    },
  };
}

/** A unit's path on the bus: what is no letter and no digit is written as _ and two hex digits (sd_bus_path_encode(3)). */
const objectOf = (unit: string): string =>
  `${MANAGER.path}/unit/${unit.replace(/[^A-Za-z0-9]/g, (character) => `_${character.charCodeAt(0).toString(16).padStart(2, "0")}`)}`;

const onWire = ([name, signature, value]: BusProperty) => [name, new Variant(signature, value)];

/** A job is over when systemd says so by a signal, which may come before the call's own answer has been read. */
function jobsOf(bus: MessageBus) {
  const over = new Map<string, string>();
  let asking = 0;
  const waiting = new Map<string, (result: string) => void>();
  bus.connection.on("message", ({ interface: from, member, body }) => {
    if (from !== MANAGER.interface || member !== "JobRemoved") return;
    const [, job, unit, result] = body as [number, string, string, string];
    if (!unit.startsWith("nixgate-")) return;
    const wait = waiting.get(job);
    if (wait) wait(result);
    else if (asking > 0) over.set(job, result); // whose it is will be known when an answer has come
  });
  return {
    /** Remembers jobs that are over while the call runs that begins one. */
    async during<Answer>(call: () => Promise<Answer>): Promise<Answer> {
      asking += 1;
      try {
        return await call();
      } finally {
        asking -= 1;
        if (asking === 0) over.clear();
      }
    },
    async done(job: string, unit: string): Promise<void> {
      const ending = new Promise<string>((done) => waiting.set(job, done));
      const said = over.get(job) ?? (await within(PATIENCE_MS, ending, "nothing"));
      over.delete(job);
      waiting.delete(job);
      if (said !== "done") throw new ScopeUnavailable(`systemd said ${said} of the start of ${unit}`);
    },
  };
}
