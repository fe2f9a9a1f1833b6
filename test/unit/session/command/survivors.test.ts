import { expect, test } from "vitest";
import { finishCommand } from "../../../../src/session/command/finish-command.ts";
import { toPid } from "../../../../src/units/ids.ts";
import type { Milliseconds } from "../../../../src/units/quantities.ts";
import { fakeClient, fakeClock, fakeLog, fakePorts, fakeScope, fakeSession } from "../../../support/fake-ports.ts";

/** A command that nothing ends. @param reads whether a line for the client can be written at once */
async function survive({ reads, runtimeMax }: { readonly reads: boolean; readonly runtimeMax?: number }) {
  const happened: string[] = [];
  const { clock, until } = fakeClock(0);
  const say = (how: string) => (line: string) =>
    void happened.push(`${how}: ${/^nixgate: (.*) \(session \S+\)$/.exec(line)?.[1]}`);
  const interrupt: ((event: "killed-by-admin") => void)[] = [];
  const client = fakeClient([], {
    tell: say("later"),
    tellNow: (line) => {
      if (reads) say("now")(line);
      return reads;
    },
    watch: (callback) => {
      interrupt.push(callback);
      return () => undefined;
    },
  });
  const scope = fakeScope({
    exited: new Promise(() => undefined),
    others: () => [toPid(7)],
    survivors: () => [{ pid: toPid(7), uid: 990, name: "sh" }],
    release: async () => void happened.push("release"),
  });
  const session = fakeSession({
    log: fakeLog(({ event }) => void happened.push(event), {
      tellJournal: (words) => void happened.push(`journal: ${words}`),
    }),
    ports: fakePorts({ client, clock }).ports,
  });
  const terms = {
    argv: ["/bin/sh"],
    properties: [],
    expectations: [],
    buildsBoundedBy: "host",
    runtimeMax: runtimeMax as Milliseconds | undefined,
    stopTimeout: 1000 as Milliseconds,
  } as const;
  const ending = finishCommand(session, { n: 1, terms, scope });
  await until(1000);
  for (const callback of interrupt) callback("killed-by-admin");
  await until(20_000);
  return { happened, ending: await ending };
}

const JOURNAL = "journal: still alive 10 s after SIGKILL: pid 7 of uid 990 (sh)";

test("what is still alive is told while somebody can write to the client: the release may kill the shim", async () => {
  const { happened, ending } = await survive({ reads: true, runtimeMax: 1000 });
  expect(happened).toEqual([
    expect.stringMatching(/^now: run time limit of /),
    JOURNAL,
    "now: 1 process of the command could not be ended",
    "release",
    "command.end",
  ]);
  expect(ending).toMatchObject({ cause: "timeout", exit: undefined, survivors: [{ pid: 7 }] });
});

test("a client that cannot be told at once gets the reason and what is alive later", async () => {
  const { happened } = await survive({ reads: false });
  expect(happened).toEqual([
    JOURNAL,
    "later: ended by the administrator",
    "later: 1 process of the command could not be ended",
    "release",
    "command.end",
  ]);
});
