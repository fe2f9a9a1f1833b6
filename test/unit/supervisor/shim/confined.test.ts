import { expect, test } from "vitest";
import type { Plan } from "../../../../src/scope/plan.ts";
import { openConfined } from "../../../../src/supervisor/shim/confined.ts";
import { confinedShims } from "../../../../src/supervisor/shim/confined-shims.ts";
import { openShimChannel, type ShimChannel } from "../../../../src/supervisor/shim/shim-channel.ts";
import type { NewService } from "../../../../src/supervisor/systemd/system-manager.ts";
import { toFd, toPid } from "../../../../src/units/ids.ts";
import type { Milliseconds } from "../../../../src/units/quantities.ts";
import { type FakeShim, fakeShim } from "../../../support/fake-shim.ts";
import { fakeManager, fakeSupervisor } from "../../../support/fake-supervisor.ts";
import { temporaryFolder } from "../../../support/temporary.ts";
import { waitFor } from "../../../support/wait-for.ts";

const FIRST = { number: 1, status: undefined };
/** An account that each host has. */
const FIFO = { name: "alpha", descriptor: toFd(-1), uid: 0, gid: 0 };
const ARGV = ["/bin/sh", "/usr/bin/nixgate-shim", "alpha", "ci"] as const;
const PLAN = {
  manager: "system",
  unit: "nixgate-alpha-test-1.service",
  slice: "nixgate-alpha.slice",
  description: "command 1",
  argv: ["/bin/build"],
  environment: {},
  properties: [],
  unitProperties: [],
  sliceProperties: [],
  confinement: [],
  expectations: [],
  team: { slice: "nixgate-alpha.slice", properties: [], expectations: [] },
  buildDaemon: undefined,
  buildsBoundedBy: "host",
  commandLine: ["/bin/build"],
  runtimeMax: undefined,
  stopTimeout: 1000 as Milliseconds,
} as const satisfies Plan;

/** A session with sshd's shim outside, and a shim inside for the service that systemd is asked for. */
function confinedSession({ isInside = true } = {}) {
  const folder = temporaryFolder("answers");
  const outside: FakeShim = fakeShim(folder, (ask) => talk.take(ask), { pid: toPid(11) });
  const inside: FakeShim = fakeShim(folder, (ask) => inner.take(ask), { pid: toPid(12) });
  const talk = openShimChannel(outside, folder, FIRST);
  const inner = openShimChannel(inside, folder, FIRST);
  outside.comes();
  const services: NewService[] = [];
  const left: ShimChannel[] = [];
  let awaited: string | undefined;
  const { supervisor } = fakeSupervisor({
    manager: fakeManager({
      async startService(service) {
        services.push(service);
        if (isInside) inside.comes();
      },
    }),
    confinedShims: {
      ...confinedShims(),
      async comes(cgroup) {
        awaited = cgroup;
        return isInside ? inner : undefined;
      },
      left: (one) => void left.push(one),
    },
  });
  const open = () => openConfined(PLAN, { argv: ARGV, openedAt: 0 }, { talk, fifo: FIFO }, supervisor);
  const over = async () => {
    for (const shim of [outside, inside]) shim.signal("SIGKILL");
    await Promise.all([talk.end(), inner.end()]);
  };
  return { outside, inside, talk, inner, services, left, open, over, awaited: () => awaited };
}

test("sshd's shim waits without running anything, and the shim in the service runs the command", async () => {
  const { outside, inside, talk, services, left, inner, open, over, awaited } = confinedSession();
  talk.say("nixgate: a line");
  const scope = await open();
  expect(awaited()).toBe("/nixgate.slice/nixgate-alpha.slice/nixgate-alpha-test-1.service");
  expect(services).toMatchObject([{ name: PLAN.unit, user: "root", argv: ARGV, streams: Array(3).fill("/dev/null") }]);
  expect({ outside: outside.doing(), answers: outside.answers.length, inside: inside.doing() }).toEqual({
    outside: "waits",
    answers: 1,
    inside: "waits",
  });
  expect(outside.answers[0]).toContain("(exit 75)");
  scope.begin();
  await waitFor("the command", () => inside.doing() === "runs");
  expect(inside.answers[0]).toContain("exec /bin/build");
  inside.commandEnds(3);
  expect(await scope.exited).toEqual({ code: 3 });
  await scope.release();
  expect({ inside: inside.status(), outside: outside.doing(), left }).toEqual({
    inside: 0,
    outside: "waits",
    left: [inner],
  });
  await over();
});

test("the client's lines go with the first answer that can write them, once", async () => {
  const { outside, inside, talk, open, over } = confinedSession();
  talk.say("nixgate: before");
  const scope = await open();
  talk.say("nixgate: meanwhile");
  scope.begin();
  await waitFor("the command", () => inside.doing() === "runs");
  const texts = [...outside.answers, ...inside.answers];
  expect(texts.map((text) => [text.includes("before"), text.includes("meanwhile")])).toEqual([
    [true, false],
    [false, true],
  ]);
  await over();
});

test("a shim that ends before its service is asked for begins none", async () => {
  const { outside, services, open, over } = confinedSession();
  outside.signal("SIGKILL");
  await expect(open()).rejects.toThrow("the shim has ended");
  expect(services).toEqual([]);
  await over();
});

test("a service without a shim in it is no scope, and the reason says so", async () => {
  const { outside, open, over } = confinedSession({ isInside: false });
  await expect(open()).rejects.toThrow("the service did not start");
  expect(outside.doing()).toBe("waits"); // for the answer with the session's end
  await over();
});

test("a killed shim in the service counts as a killed command", async () => {
  const { inside, open, over } = confinedSession();
  const scope = await open();
  scope.begin();
  await waitFor("the command", () => inside.doing() === "runs");
  inside.signal("SIGKILL");
  expect(await scope.exited).toEqual({ signal: "SIGKILL" });
  await scope.release();
  await over();
});
