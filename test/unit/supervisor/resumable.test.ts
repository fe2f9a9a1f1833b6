import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import type { CommandTerms } from "../../../src/scope/plan.ts";
import { resumableOf } from "../../../src/supervisor/resumable.ts";
import type { ResumableShims } from "../../../src/supervisor/shim/resumable-shims.ts";
import { type Ask, openShimChannel } from "../../../src/supervisor/shim/shim-channel.ts";
import { toFd } from "../../../src/units/ids.ts";
import type { Milliseconds } from "../../../src/units/quantities.ts";
import { fakeShim } from "../../support/fake-shim.ts";
import { fakeSupervisor } from "../../support/fake-supervisor.ts";
import { bodies, sessionLines } from "../../support/records.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const FIFO = { name: "alpha", descriptor: toFd(-1), uid: 0, gid: 0 };
const TERMS: CommandTerms = {
  argv: ["/bin/build"],
  properties: [],
  expectations: [],
  runtimeMax: undefined,
  stopTimeout: 1000 as Milliseconds,
  buildsBoundedBy: "host",
};

/** A session whose shim an earlier supervisor has let run a command, which exits with 3 where it has ended since. */
async function earlier({ hasEnded = false } = {}) {
  const run = temporaryFolder("run");
  const folder = join(run, "alpha/answers");
  mkdirSync(folder, { recursive: true });
  let take = (_: Ask): void => undefined; // nobody reads the FIFO
  const shim = fakeShim(folder, (ask) => take(ask));
  shim.comes();
  await openShimChannel(shim, folder, { number: 1, status: undefined }).answer(() => "/bin/build\n");
  if (hasEnded) shim.commandEnds(3);
  await new Promise(setImmediate); // its line is lost
  const { supervisor } = fakeSupervisor({ runDirectory: run });
  const [start, begun] = sessionLines(Date.now(), [bodies.start, bodies.run]).lines.map((line) => JSON.parse(line));
  const lost = { start, last: begun, open: new Map([[2, begun]]), commands: 1, denied: 0 };
  const [unit, cgroup] = ["none.scope", "/nixgate.slice/nixgate-alpha.slice/none.scope"];
  const shims: ResumableShims = { lost, begun, unit, cgroup, boundsBuilds: false, shim, inside: undefined };
  const { session, guest } = resumableOf(shims, FIFO, supervisor);
  take = guest.talk.take;
  return { shim, session, guest };
}

test.each([
  ["while there was no supervisor", true],
  ["under the next supervisor", false],
])("a command that ends %s has its own status, and its shim gets the session's end", async (_, hasEnded) => {
  const { shim, session, guest } = await earlier({ hasEnded });
  const { scope } = session.reopen(TERMS, 1000 as Milliseconds);
  scope.begin();
  if (!hasEnded) shim.commandEnds(3);
  expect(await scope.exited).toEqual({ code: 3 });
  await session.end(5);
  await guest.talk.end();
  expect({ status: shim.status(), commands: shim.answers.length }).toEqual({ status: 5, commands: 2 });
});

test("a resumed shim that is killed counts as a killed command", async () => {
  const { shim, session, guest } = await earlier();
  const { scope } = session.reopen(TERMS, 1000 as Milliseconds);
  scope.begin();
  shim.signal("SIGKILL");
  expect(await scope.exited).toEqual({ signal: "SIGKILL" });
  await guest.talk.end();
});
