import { confinedShims } from "../../src/supervisor/shim/confined-shims.ts";
import type { Supervisor } from "../../src/supervisor/supervisor.ts";
import { fakePorts } from "./fake-ports.ts";

/** A systemd that starts everything at once, and never stops anything by itself. */
export function fakeManager(differences: Partial<Supervisor["manager"]> = {}): Supervisor["manager"] {
  return {
    startScope: async () => undefined,
    startService: async () => undefined,
    stopUnit: async () => undefined,
    invocationOf: async () => "f".repeat(32),
    onStop: () => () => undefined,
    onShutdown: () => undefined,
    stopOf: async () => undefined,
    setProperties: async () => undefined,
    ...differences,
  };
}

/** The parts of a supervisor without systemd and without records on a disk. `warned` has its warnings. */
export function fakeSupervisor(differences: Partial<Supervisor> = {}) {
  const warned: string[] = [];
  const { admission, records } = fakePorts().ports;
  const supervisor: Supervisor = {
    manager: fakeManager(),
    confinedShims: confinedShims(),
    strays: { watch: () => ({ end: async () => 0 }) },
    ipcObjects: { sessionEnded: () => undefined, settled: async () => undefined },
    outside: { watch: () => () => undefined },
    guests: new Map(),
    admission,
    records,
    late: { keep: () => undefined, write: () => undefined, sessions: () => [] },
    version: "0",
    program: "/bin/nixgate",
    shim: "/bin/nixgate-shim",
    runDirectory: "/nonexistent",
    log: { directory: "/nonexistent", journald: false },
    followsCrash: false,
    ready: () => undefined,
    warn: (message, facts) => void warned.push(`${message} ${JSON.stringify(facts)}`),
    ...differences,
  };
  return { supervisor, warned };
}
