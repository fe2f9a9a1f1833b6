import { expect, test } from "vitest";
import type { Allow } from "../../../../src/decision/decision.ts";
import type { AllowRule } from "../../../../src/policy/policy.ts";
import { hostConfig } from "../../../../src/policy/schema/defaults.ts";
import { RecordError } from "../../../../src/record/error.ts";
import { whyNotInForce } from "../../../../src/session/command/limits-in-force.ts";
import { serveCommand } from "../../../../src/session/command/serve-command.ts";
import type { ProgramProblem } from "../../../../src/session/ports.ts";
import { RecordFailure, type SessionLog } from "../../../../src/session/session-log.ts";
import {
  fakeClient,
  fakeLog,
  fakePorts,
  fakeScope,
  fakeSession,
  readyConfiguration,
} from "../../../support/fake-ports.ts";

/** Serves one command whose log settles when `disk` does. @returns what happened, in its order */
async function serve(
  disk: (happened: string[]) => Promise<void>,
  looks: readonly (ProgramProblem | undefined)[] = [],
  code = 0,
) {
  const happened: string[] = [];
  const records: object[] = [];
  const told: string[] = [];
  const look = looks.values();
  const happen = (what: string) => void happened.push(what);
  const host = hostConfig({ schema: 1 });
  const rule: AllowRule = {
    kind: "custom",
    name: "allow true",
    environment: {},
    request: ["true"],
    run: ["/bin/true"],
  };
  const decision: Allow = {
    kind: "allow",
    rule,
    endpoint: "custom",
    argv: ["/bin/true"],
    matched: [],
    exec: false,
    trace: [],
  };
  const scope = fakeScope({
    begin: () => happen("begin"),
    exited: Promise.resolve({ code }),
    release: async () => happen("release"),
  });
  const write: SessionLog["write"] = (record) => {
    happen(record.event);
    records.push(record);
  };
  const open = async () => {
    happen("open");
    return scope;
  };
  const session = fakeSession({
    configuration: readyConfiguration({ host: { scope: { ...host.scope, manager: "system" } } }),
    log: fakeLog(write, { settled: () => disk(happened) }),
    ports: fakePorts({
      scopes: { open },
      client: fakeClient(told),
      programs: { problemWith: () => look.next().value },
    }).ports,
  });
  const serving = serveCommand(session, { decision, bytes: Buffer.from("true"), n: 1 });
  const [ran, failure] = await serving.then(
    (ended) => [ended, undefined] as const,
    (error: unknown) => [undefined, error] as const,
  );
  return { happened, failure, records, told, ran };
}

test("the command begins when what the session began with is on disk", async () => {
  const { happened, failure } = await serve(async (so) => {
    await new Promise(setImmediate);
    so.push("on disk");
  });
  expect(failure).toBeUndefined();
  expect(happened.slice(0, 4)).toEqual(["open", "on disk", "command.start", "begin"]);
});

test("where that does not get to the disk the command never begins, and its scope is let go", async () => {
  const lost = new RecordFailure(new RecordError("E_LOG_WRITE", "EIO (fdatasync)"));
  const { happened, failure } = await serve(() => Promise.reject(lost));
  expect(failure).toBe(lost);
  expect(happened).toEqual(["open", "release"]);
});

const GONE = { message: "does not exist", fix: "install it" };
const settled = async () => undefined;

test("a program that cannot be executed is refused before anything is made for it, and on record as never begun", async () => {
  const { happened, records, told, ran } = await serve(settled, [GONE]);
  expect(happened).toEqual(["command.start", "command.end"]);
  expect(records[1]).toEqual({
    ...{ event: "command.end", n: 1, cause: "exec-failed", message: "/bin/true does not exist", wall_ms: 0, usage: {} },
  });
  expect(told).toEqual([
    expect.stringMatching(
      /^nixgate: the program of this request cannot be run: \/bin\/true does not exist \(session .+\)$/,
    ),
  ]);
  expect(ran).toEqual({ failed: "exec-failed", status: 78 });
});

test("a program that the host cannot look at now is no wrong configuration: 75", async () => {
  const lacking = { ...GONE, message: "cannot be checked now", temporary: true } as const;
  expect((await serve(settled, [lacking])).ran).toEqual({ failed: "exec-failed", status: 75 });
  expect((await serve(settled, [undefined, lacking], 126)).records[1]).toMatchObject({ cause: "exit", exit_code: 126 });
});

test.each([126, 127])("a program that goes before execve(2) is told apart from a command's own %i", async (code) => {
  const { records, told } = await serve(settled, [undefined, GONE], code);
  expect(records[1]).toMatchObject({ cause: "exec-failed", message: "/bin/true does not exist" });
  expect(records[1]).not.toHaveProperty("exit_code");
  expect(told).toHaveLength(1);
  const own = await serve(settled, [undefined, undefined], code);
  expect(own.records[1]).toMatchObject({ cause: "exit", exit_code: code });
  expect(own.told).toEqual([]);
});

test.each([
  [
    "memory.max",
    undefined,
    "limits.MemoryMax needs memory.max of cgroup v2, which is missing: the kernel or systemd has no memory controller for it",
  ],
  ["memory.max", "max", "limits.MemoryMax is max instead of 64"],
  ["Max data size", undefined, "limits.MemoryMax does not exist instead of 64"],
])("a limit that is not in force is told with the controller that is missing: %s %s", (file, found, words) => {
  expect(whyNotInForce({ key: "limits.MemoryMax", asked: "64", found, file })).toBe(words);
});
