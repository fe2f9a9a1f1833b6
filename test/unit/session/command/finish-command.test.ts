import { expect, test } from "vitest";
import type { BuildBound } from "../../../../src/policy/builds.ts";
import { finishCommand } from "../../../../src/session/command/finish-command.ts";
import { watchCommand } from "../../../../src/session/command/watch-command.ts";
import { toPid } from "../../../../src/units/ids.ts";
import type { Milliseconds } from "../../../../src/units/quantities.ts";
import { fakeClient, fakeLog, fakePorts, fakeScope, fakeSession } from "../../../support/fake-ports.ts";

const TERMS = {
  argv: ["/bin/nix-daemon"] as const,
  properties: [{ name: "MemoryMax", value: "4K" }],
  expectations: [{ property: "MemoryMax", value: "4096" }],
  ...{ runtimeMax: undefined, stopTimeout: 1 as Milliseconds },
};

/** Runs a command that exits with 0 after a process of a build was killed for its memory. */
async function afterOom(buildsBoundedBy: BuildBound) {
  const told: string[] = [];
  const records: object[] = [];
  let end = () => {};
  const exited = new Promise<{ code: number }>((resolve) => {
    end = () => resolve({ code: 0 });
  });
  const scope = {
    ...fakeScope({ exited, usage: () => ({ oom_kills: 1, memory_peak_bytes: 4096 }) }),
    onLimit(callback: (limit: "oom" | "tasks-limit") => void) {
      callback("oom");
      end();
      return () => undefined;
    },
  };
  const session = fakeSession({
    log: fakeLog((record) => void records.push(record)),
    ports: fakePorts({ client: fakeClient(told) }).ports,
  });
  await finishCommand(session, { n: 1, terms: { ...TERMS, buildsBoundedBy }, scope });
  return { told, record: records[0] };
}

test("a client is told once, and at once, that a build ran into its memory limit, and the cause is oom", async () => {
  const { told, record } = await afterOom("session");
  expect(told).toEqual([expect.stringContaining("memory limit of 4K reached")]);
  expect(record).toMatchObject({ cause: "oom", exit_code: 0, limit_of: "own" });
});

test("where the host's daemon builds, a command that succeeds has no limit as its cause", async () => {
  expect((await afterOom("host")).record).toMatchObject({ cause: "exit", exit_code: 0 });
});

test("a command that has ended is not ended again while its builds end, and nothing is left over of them", async () => {
  const happened: string[] = [];
  let interrupt: (event: "client-gone") => void = () => {};
  const client = {
    ...fakeClient([]),
    latency: 0 as Milliseconds,
    isGone: () => true,
    watch(callback: typeof interrupt) {
      interrupt = callback;
      return () => undefined;
    },
  };
  const clock = {
    now: () => 0,
    monotonic: () => 0,
    after(_delay: Milliseconds, callback: () => void) {
      const timer = setImmediate(callback);
      return () => clearImmediate(timer);
    },
  };
  let building = ["daemon"];
  const scope = {
    ...fakeScope({ exited: Promise.resolve({ code: 0 }), others: () => building.map(() => toPid(7)) }),
    terminate: () => void happened.push("terminate"),
    kill: () => void happened.push("kill"),
    async endBuilds() {
      happened.push("end builds");
      interrupt("client-gone");
      await new Promise((resolve) => setTimeout(resolve, 20));
      building = [];
    },
  };
  const watched = await watchCommand(
    {
      configuration: { policy: { session: { clientGoneGrace: 0 as Milliseconds } } },
      ports: { clock, client },
    },
    { scope, terms: { ...TERMS, buildsBoundedBy: "session" } },
  );
  expect(happened).toEqual(["end builds"]);
  expect(watched).toMatchObject({ exit: { code: 0 }, stopped: undefined, leftovers: 0 });
});
