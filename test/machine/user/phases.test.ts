import { describe, expect } from "vitest";
import { waitFor } from "../../support/wait-for.ts";
import { BLOWS, type Blow, BOUND, expectCause } from "../blows.ts";
import {
  awaitNothing,
  pauseManager,
  pauseNixgate,
  resumeManager,
  resumeNixgate,
  setRunTime,
  storyOf,
  test,
} from "../hostile.ts";
import { allow } from "../policies.ts";
import type { Guest } from "../support.ts";
import { awaitProcess, startClient } from "../waiting-client.ts";

const sh = (script: string) => ["/bin/sh", "-c", script];
/** Shows that the stop is under way, and lasts through it. */
const DEAF = "trap '' TERM; exec sleep 4242";
const RULES = {
  patient: sh("exec sleep 100000"),
  // says nothing: sh would tell how its child ended, and end by SIGPIPE where nobody reads
  "until-told": sh(`exec 2>/dev/null; trap "${DEAF}" TERM; while :; do sleep 0.1; done`),
  // not before SIGTERM is ignored
  leave: sh(`(${DEAF}) & until [ "$(cat /proc/$!/comm)" = sleep ]; do :; done; exit 0`),
};

async function prepare(guest: Guest, runTime: string): Promise<void> {
  if (!(await storyOf(guest)).all.length) await allow(guest, "alpha", RULES);
  await setRunTime(guest, runTime);
}

/** The holder's two processes: what will be the command has left the holder proper behind, which is ready. */
const holders = async (guest: Guest) =>
  `${(await guest.asRoot("pgrep -c -u nix-alpha -f '^/bin/sh /.*/nixgate-holder scope'")).stdout}`.trim() === "2";

describe.for(Object.entries<Blow>(BLOWS))("when %s during the hand-over", ([, { late, cause, strike }]) => {
  test("during the request for the scope, no process is left and the record has the cause", async ({ builder }) => {
    await prepare(builder, "60s");
    await pauseManager(builder);
    using client = startClient(builder, "patient");
    await awaitProcess(builder, "^systemd-run");
    await strike(client, builder);
    await resumeManager(builder);
    await awaitNothing(builder, late + BOUND);
    await expectCause(builder, cause);
  });

  test('while the holder waits for "go", no process is left and the record has the cause', async ({ builder }) => {
    await prepare(builder, "60s");
    await pauseManager(builder);
    using client = startClient(builder, "patient");
    await awaitProcess(builder, "^systemd-run");
    await pauseNixgate(builder);
    await resumeManager(builder);
    await waitFor("the holder", () => holders(builder));
    expect((await storyOf(builder)).begun).toBeUndefined();
    await strike(client, builder);
    await resumeNixgate(builder);
    await awaitNothing(builder, late + BOUND);
    await expectCause(builder, cause);
  });
});

interface Stop {
  readonly why: string;
  readonly request: keyof typeof RULES;
  readonly runTime?: string;
  readonly first?: keyof typeof BLOWS;
  readonly cause: string;
  readonly next: readonly (keyof typeof BLOWS)[];
}

/** Each of these comes while a stop of another reason is under way. */
const GONE = ["the client is killed", "sshd loses the connection"] as const;
const ENDED = ["nixgate is killed", "the administrator ends nixgate"] as const;

describe("a command that is being ended", () => {
  test.for<Stop>([
    { why: "its time is over", request: "until-told", runTime: "1s", cause: "timeout", next: GONE },
    { why: "its time is over", request: "until-told", runTime: "1s", cause: "timeout", next: ENDED },
    {
      why: "the administrator said so",
      request: "until-told",
      first: "the administrator ends nixgate",
      cause: "killed-by-admin",
      next: ["the client is killed", "nixgate is killed"],
    },
    {
      why: "its client was lost",
      request: "until-told",
      first: "the client is killed",
      cause: "client-gone",
      next: ENDED,
    },
    { why: "it left something", request: "leave", cause: "exit", next: GONE },
    { why: "it left something", request: "leave", cause: "exit", next: ENDED },
  ])("because $why: the cause is $cause, and nothing is left, after $next", async (stop, { builder }) => {
    const { request, runTime = "60s", first, cause, next } = stop;
    for (const second of next) {
      await prepare(builder, runTime);
      using client = startClient(builder, request);
      if (first) {
        await awaitProcess(builder, "^sleep 0.1");
        await BLOWS[first].strike(client, builder);
      }
      await awaitProcess(builder, "^sleep 4242");
      await BLOWS[second].strike(client, builder);
      await awaitNothing(builder, BOUND);
      await expectCause(builder, second === "nixgate is killed" ? undefined : cause);
    }
  });
});
