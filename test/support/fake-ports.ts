import { NO_LIMIT_EVENTS } from "../../src/ending/limit-events.ts";
import type { HostConfig, Policy } from "../../src/policy/policy.ts";
import { hostConfig, SESSION } from "../../src/policy/schema/defaults.ts";
import type { ReadyConfiguration } from "../../src/session/configuration.ts";
import type { IncomingSession } from "../../src/session/incoming-session.ts";
import type { Client, Clock, Interruption, OpenScope, Records, SessionPorts } from "../../src/session/ports.ts";
import type { Session } from "../../src/session/session.ts";
import type { SessionLog } from "../../src/session/session-log.ts";
import { makeSessionId, type TeamName, teamName, toPid } from "../../src/units/ids.ts";
import type { Bytes, Milliseconds } from "../../src/units/quantities.ts";

export const TEAM = teamName("alpha") as TeamName;
export const SESSION_ID = makeSessionId(0, new Uint8Array(10));

/** A clock that stands still. */
export const STILL: Clock = { now: () => 0, monotonic: () => 0, after: () => () => undefined };

/** Time that passes only where `until` says so. */
export function fakeClock(start: number) {
  let now = start;
  let timers: { readonly at: number; readonly callback: () => void }[] = [];
  const settle = () => new Promise(setImmediate);
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    after(delay, callback) {
      const timer = { at: now + delay, callback };
      timers.push(timer);
      return () => {
        timers = timers.filter((other) => other !== timer);
      };
    },
  };
  return {
    clock,
    pending: () => timers.length,
    async until(end: number) {
      await settle();
      for (;;) {
        const [next] = timers.filter(({ at }) => at <= end).sort((a, b) => a.at - b.at);
        if (!next) break;
        timers = timers.filter((other) => other !== next);
        now = Math.max(now, next.at);
        next.callback();
        await settle();
      }
      now = Math.max(now, end);
    },
  };
}

/** A client that stays, reads everything and is watched by nobody. `told` has what it was told. */
export function fakeClient(told: string[] = [], differences: Partial<Client> = {}): Client {
  return {
    tell: (line) => void told.push(line),
    tellNow: (line) => told.push(line) > 0,
    answerStarted: () => undefined,
    watch: () => () => undefined,
    latency: 0 as Milliseconds,
    isGone: () => false,
    ...differences,
  };
}

/** A client whose interruptions the test sends. */
export function interruptibleClient(latency: Milliseconds) {
  const watchers = new Set<(event: Interruption) => void>();
  let gone = false;
  const client = fakeClient([], {
    latency,
    isGone: () => gone,
    watch(callback) {
      watchers.add(callback);
      return () => watchers.delete(callback);
    },
  });
  return {
    client,
    leave: () => {
      gone = true;
    },
    interrupt: (event: Interruption) => {
      for (const watcher of watchers) watcher(event);
    },
    watchers: () => watchers.size,
  };
}

/** A scope whose command ends at once with status 0 and leaves nothing. */
export function fakeScope(differences: Partial<OpenScope> = {}): OpenScope {
  return {
    openedAt: 0,
    pid: toPid(7),
    invocation: undefined,
    isolation: "scope-system",
    applied: {},
    appliedToTeam: undefined,
    begin: () => undefined,
    exited: Promise.resolve({ code: 0 }),
    others: () => [],
    survivors: () => [],
    terminate: () => undefined,
    kill: () => undefined,
    usage: () => ({}),
    limitEvents: () => NO_LIMIT_EVENTS,
    release: async () => undefined,
    ...differences,
  };
}

/** Records in memory: `lines` are those of the file, `journal` the messages that are in no record. */
export function fakeRecords(differences: Partial<Records> = {}) {
  const lines: string[] = [];
  const journal: string[] = [];
  const records: Records = {
    open: () => ({
      append(line) {
        lines.push(line);
        return undefined;
      },
      close: () => undefined,
    }),
    copyToJournal: () => undefined,
    tellJournal: (_session, _team, message) => void journal.push(message),
    flush: async () => 0,
    ...differences,
  };
  return { records, lines, journal };
}

/** Ports of a host that has room for everything. `told` has the lines for the client. */
export function fakePorts(differences: Partial<SessionPorts> = {}) {
  const told: string[] = [];
  const { records, lines, journal } = fakeRecords();
  const ports: SessionPorts = {
    clock: STILL,
    newSessionId: (at) => makeSessionId(at, new Uint8Array(10)),
    admission: {
      takeSlot: async () => ({ giveBack: () => undefined }),
      countStart: (_name, session) => [session],
      hostState: () => ({ availableMemory: (2 ** 40) as Bytes, loadPerCpu: 0 }),
      pressure: () => 0,
      storeRoom: () => undefined,
    },
    requests: { next: () => new Promise(() => undefined) },
    programs: { problemWith: () => undefined },
    scopes: { open: async () => fakeScope() },
    client: fakeClient(told),
    records,
    recovery: { begin: () => undefined, settled: async () => undefined },
    ...differences,
  };
  return { ports, told, lines, journal };
}

export function incomingSession(differences: Partial<IncomingSession> = {}): IncomingSession {
  return {
    forced: { team: TEAM, member: undefined },
    arrived: { startedAt: 0, arrivedAt: 0 },
    account: { name: "nix-alpha", uid: 990, home: "/" },
    connection: {},
    request: { mode: "loop" },
    terminal: false,
    machine: { host: "builder-1", boot: "b" },
    process: { pid: toPid(1), version: "0" },
    holder: "/holder",
    ...differences,
  };
}

/** A policy of team alpha that allows nothing and limits nothing. */
export function fakePolicy(differences: Partial<Policy> = {}): Policy {
  const nothing = { description: "", allow: [], limits: {}, teamLimits: {}, members: [], ca: [] };
  const builds = { boundedBy: "host", trust: false } as const;
  return { team: TEAM, ...nothing, session: SESSION, store: { mode: "daemon" }, builds, ...differences };
}

/** The configuration of a host with the default settings. */
export function readyConfiguration({
  host = {},
  policy = {},
}: {
  readonly host?: Partial<HostConfig>;
  readonly policy?: Partial<Policy>;
} = {}): ReadyConfiguration {
  return {
    ok: true,
    directory: "/etc/nixgate",
    host: { ...hostConfig({ schema: 1 }), ...host },
    policy: fakePolicy(policy),
    source: { path: "", sha256: "" },
    lockOn: () => undefined,
  };
}

/** A log that takes everything at once. `write` is told of each record. */
export function fakeLog(write: SessionLog["write"], differences: Partial<SessionLog> = {}): SessionLog {
  return {
    write,
    begin: () => undefined,
    publish: () => undefined,
    end: (body) => write(body),
    elapsed: () => 0,
    settled: async () => undefined,
    tellJournal: () => undefined,
    counted: () => ({ commands: 0, denied: 0 }),
    close: () => undefined,
    ...differences,
  };
}

/** An admitted session of these parts. */
export function fakeSession(parts: Partial<Session> = {}): Session {
  return {
    id: SESSION_ID,
    incoming: incomingSession(),
    configuration: readyConfiguration(),
    log: fakeLog(() => undefined),
    ports: fakePorts().ports,
    lockNow: () => undefined,
    ...parts,
  };
}
