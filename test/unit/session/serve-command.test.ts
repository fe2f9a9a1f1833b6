import { expect, test } from "vitest";
import type { Allow } from "../../../src/decision/decision.ts";
import { NO_HITS } from "../../../src/ending/limit-hits.ts";
import { hostConfig, SESSION } from "../../../src/policy/defaults.ts";
import { RecordError } from "../../../src/record/error.ts";
import { serveCommand } from "../../../src/session/serve-command.ts";
import { RecordFailure, type SessionLog } from "../../../src/session/session-log.ts";
import { makeSessionId } from "../../../src/units/ids.ts";

/** Serves one command whose log settles when `disk` does. @returns what happened, in its order */
async function serve(disk: (happened: string[]) => Promise<void>) {
  const happened: string[] = [];
  const happen = (what: string) => void happened.push(what);
  const host = hostConfig({ schema: 1 });
  const rule = { environment: {}, run: ["/bin/true"] };
  const decision = {
    kind: "allow",
    rule,
    endpoint: "custom",
    argv: ["/bin/true"],
    matched: [],
    exec: false,
    trace: [],
  };
  const policy = { team: "alpha", limits: {}, teamLimits: {}, session: SESSION };
  const arrival = {
    session: makeSessionId(0, new Uint8Array(10)),
    account: { name: "nix-alpha", uid: 990, home: "/" },
    holder: "/holder",
  };
  const scope = {
    pid: 7,
    applied: {},
    isolation: "scope-system",
    begin: () => happen("begin"),
    exited: Promise.resolve({ code: 0 }),
    others: () => [],
    usage: () => ({}),
    hits: () => NO_HITS,
    terminate: () => undefined,
    kill: () => undefined,
    release: async () => happen("release"),
  };
  const log = {
    write: ({ event }: { readonly event: string }) => happen(event),
    settled: () => disk(happened),
  };
  const ports = {
    scopes: {
      open: async () => {
        happen("open");
        return scope;
      },
    },
    clock: { now: () => 0, monotonic: () => 0, after: () => () => undefined },
    client: { watch: () => () => undefined, tell: () => undefined, isGone: () => false },
    recovery: { begin: () => undefined },
  };
  const admitted = { ok: true, host: { ...host, scope: { ...host.scope, manager: "system" } }, policy };
  const serving = serveCommand(
    decision as unknown as Allow,
    Buffer.from("true"),
    1,
    arrival as never,
    admitted as never,
    log as unknown as SessionLog,
    ports as never,
  );
  const failure = await serving.then(
    () => undefined,
    (error: unknown) => error,
  );
  return { happened, failure };
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
