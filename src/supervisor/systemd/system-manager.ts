import { type Message, Variant, variantValue } from "dbus-native";
import pLimit from "p-limit";
import type { EndedBy } from "../../ending/ending.ts";
import { type BusProperty, busProperty } from "../../scope/bus-properties.ts";
import type { Property } from "../../scope/properties.ts";
import { ScopeUnavailable } from "../../session/scope-unavailable.ts";
import { clock, within } from "../../system/kernel/clock.ts";
import type { Pid } from "../../units/ids.ts";
import { jobsOf } from "./jobs.ts";
import { type BusSocket, PATIENCE_TIMEOUT_MS, PRIVATE_SOCKET, privateBus } from "./private-bus.ts";
import { ENDED_BY, kindOf, objectOf, stopsHeard } from "./unit-stops.ts";

const SYSTEMD = { destination: "org.freedesktop.systemd1", path: "/org/freedesktop/systemd1" } as const;
const MANAGER = { ...SYSTEMD, interface: "org.freedesktop.systemd1.Manager" } as const;
/**
 * The maximum number of concurrent calls, so that systemd's answers to other programs are not delayed by many new
 * sessions.
 */
const CALLS_AT_A_TIME = 64;
/** The interval at which a start is polled, in milliseconds. The signal of its end is lost with its connection. */
const LOOK_MS = 1000;

export interface NewUnit {
  readonly name: string;
  readonly slice: string;
  readonly description: string;
  readonly properties: readonly Property[];
  /** The unit of the client's connection, which a shutdown then stops later; undefined where it has none of its own. */
  readonly connection?: string | undefined;
  /** Units that are made with it, in the same call. */
  readonly beside?: UnitsBeside | undefined;
}

/** Units beside another one, which it needs before it starts. */
export interface UnitsBeside {
  /** The one that is started with it; systemd starts the others when they are needed. */
  readonly needs: string;
  readonly units: readonly { readonly name: string; readonly properties: readonly BusProperty[] }[];
}

export interface NewScope extends NewUnit {
  /** The process that is moved into it. */
  readonly pid: Pid;
}

export interface NewService extends NewUnit {
  /** The account of its process. */
  readonly user: string;
  /** Absolute. */
  readonly argv: readonly [string, ...string[]];
  /** The files that systemd opens as stdin, stdout and stderr. */
  readonly streams: readonly [string, string, string];
  readonly confinement: readonly { readonly bus: BusProperty }[];
}

/**
 * systemd's system manager (org.freedesktop.systemd1(5)), for root, over one connection for the whole life of a
 * supervisor.
 */
export interface SystemManager {
  /** Makes a scope around a process, and its slice with it. Settles when it is active. @throws ScopeUnavailable */
  startScope(scope: NewScope): Promise<void>;
  /** Starts a service. Settles when its program has been executed. @throws ScopeUnavailable */
  startService(service: NewService): Promise<void>;
  /** Stops a unit. Settles when it has stopped, or was not there. Never throws: the caller looks at what is left. */
  stopUnit(unit: string): Promise<void>;
  /** The unit's invocation id, 32 hex digits; undefined if systemd does not say. */
  invocationOf(unit: string): Promise<string | undefined>;
  /**
   * Calls back when a job is made for an active unit, which can only be its stop: systemctl stop of it or of its slice,
   * a shutdown, a soft reboot. The returned function ends the calls.
   */
  onStop(unit: string, callback: () => void): () => void;
  /** Calls back when a shutdown, a reboot or a soft reboot begins, before systemd stops anything. */
  onShutdown(callback: () => void): void;
  /** The reason why a unit stops or has stopped: undefined if it is active, or systemd does not say. */
  stopOf(unit: string): Promise<EndedBy | undefined>;
  /** Changes a unit's properties until the next boot. @throws ScopeUnavailable */
  setProperties(unit: string, properties: readonly Property[]): Promise<void>;
}

export async function systemManager(
  warn: (message: string, facts: object) => void,
  socket: BusSocket = PRIVATE_SOCKET,
  timeout = PATIENCE_TIMEOUT_MS,
): Promise<SystemManager> {
  const jobs = jobsOf();
  const stops = stopsHeard();
  const heard = (message: Message) => {
    jobs.heard(message);
    stops.heard(message);
  };
  const unread = (problem: unknown) => warn("a message of systemd could not be read", { why: String(problem) });
  const bus = await privateBus(socket, heard, unread, timeout);
  const inTurn = pLimit(CALLS_AT_A_TIME);
  const invoke = (message: Message, anew?: () => void) => inTurn(() => bus.call(message, anew));
  const call = async (member: string, signature: string, body: readonly unknown[]): Promise<unknown> => {
    try {
      return await invoke({ ...MANAGER, member, signature, body: [...body] });
    } catch (error) {
      throw unavailable(error);
    }
  };
  const property = async (unit: string, name: string, kind = "Unit"): Promise<unknown> => {
    const body = [`org.freedesktop.systemd1.${kind}`, name];
    const asked = { ...SYSTEMD, path: objectOf(unit), interface: "org.freedesktop.DBus.Properties", member: "Get" };
    return variantValue(await invoke({ ...asked, signature: "ss", body }));
  };
  /** @returns its job; undefined if a lost connection lost the answer, and the unit exists */
  const startUnit = async (
    name: string,
    properties: readonly BusProperty[],
    beside: UnitsBeside["units"],
  ): Promise<string | undefined> => {
    let isAnew = false;
    const others = beside.map((unit) => [unit.name, unit.properties.map(onWire)]);
    const body = [name, "fail", properties.map(onWire), others];
    const message = { ...MANAGER, member: "StartTransientUnit", signature: "ssa(sv)a(sa(sv))", body };
    try {
      const job = await invoke(message, () => {
        isAnew = true;
      });
      return String(job);
    } catch (error) {
      // No two units of nixgate have the same name, so an existing unit comes from the first call.
      if (isAnew && (error as { dbusName?: string }).dbusName === UNIT_EXISTS) return undefined;
      throw unavailable(error);
    }
  };
  const isActive = async (unit: string) => {
    try {
      return (await property(unit, "ActiveState")) === "active";
    } catch {
      return false;
    }
  };
  /** Settles with "done" when the unit is active, by the signal or by polling. */
  const standing = async (unit: string, job: string | undefined): Promise<string> => {
    const end = clock.monotonic() + timeout;
    const said = job === undefined ? new Promise<never>(() => {}) : jobs.done(job);
    while (clock.monotonic() < end) {
      const result = await within(Math.min(LOOK_MS, timeout), said, undefined);
      if (result !== undefined) return result;
      if (!(await isActive(unit))) continue;
      if (job !== undefined) jobs.forget(job);
      return "done";
    }
    if (job !== undefined) jobs.forget(job);
    return "nothing";
  };

  const start = async (
    { name, slice, description, properties, beside, connection }: NewUnit,
    more: readonly BusProperty[],
  ) => {
    const own: readonly BusProperty[] = [
      ["Description", "s", description],
      ["Slice", "s", slice],
      ["CollectMode", "s", "inactive-or-failed"],
      // At a shutdown sessions stop before the supervisor, so that it can tell their clients and record the end, and before
      // sshd's process for them, which passes that on.
      ["After", "as", ["nixgate.service", ...[connection, beside?.needs].filter((unit) => unit !== undefined)]],
      // no more than wanted: a unit is stopped together with one that it requires, and this one is stopped first
      ...(beside ? [["Wants", "as", [beside.needs]] satisfies BusProperty] : []),
      ...more,
      ...properties.map(busProperty),
    ];
    await jobs.during(async () => {
      const job = await startUnit(name, own, beside?.units ?? []);
      const said = await standing(name, job);
      if (said !== "done") throw new ScopeUnavailable(`systemd said ${said} of the start of ${name}`);
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
        ["OOMPolicy", "s", "continue"], // the supervisor stops the service, and spares the process that reports the end
        ...service.confinement.map(({ bus }) => bus),
      ]);
    },
    async stopUnit(unit) {
      await jobs.during(async () => {
        try {
          const job = String(
            await invoke({ ...MANAGER, member: "StopUnit", signature: "ss", body: [unit, "replace"] }),
          );
          await within(PATIENCE_TIMEOUT_MS, jobs.done(job), undefined);
          jobs.forget(job);
        } catch {
          // it is gone already
        }
      });
    },
    async invocationOf(unit) {
      try {
        const answer = await property(unit, "InvocationID");
        const id = Buffer.from(answer as Uint8Array).toString("hex");
        return id.length === 32 ? id : undefined;
      } catch {
        return undefined; // the unit has ended already
      }
    },
    onStop: stops.watch,
    onShutdown: stops.watchShutdown,
    async stopOf(unit) {
      try {
        // systemd's signals about jobs arrive before this answer.
        const state = await property(unit, "ActiveState");
        if (stops.isStopped(unit)) return "killed-by-admin";
        if (state === "active") return undefined;
        return ENDED_BY[String(await property(unit, "Result", kindOf(unit)))] ?? ENDED_BY[stops.resultOf(unit) ?? ""];
      } catch {
        return stops.isStopped(unit) ? "killed-by-admin" : ENDED_BY[stops.resultOf(unit) ?? ""];
      }
    },
    async setProperties(unit, properties) {
      await call("SetUnitProperties", "sba(sv)", [unit, true, properties.map(busProperty).map(onWire)]);
    },
  };
}

const onWire = ([name, signature, value]: BusProperty) => [name, new Variant(signature, value)];

const UNIT_EXISTS = "org.freedesktop.systemd1.UnitExists";

const unavailable = (error: unknown) =>
  new ScopeUnavailable(`systemd: ${error instanceof Error ? error.message : String(error)}`, error);
