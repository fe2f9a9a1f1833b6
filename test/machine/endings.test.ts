import { join } from "node:path";
import { describe, expect } from "vitest";
import { runFolder } from "../../tools/machine/state.ts";
import { waitFor } from "../support/wait-for.ts";
import { BLOWS, type Blow, BOUND, expectCause } from "./blows.ts";
import { attempt, awaitNothing, endNixgate, lineOf, setRunTime, storyOf, test } from "./hostile.ts";
import { supervised } from "./managers.ts";
import { allow } from "./policies.ts";
import { recordsOf } from "./records.ts";
import type { Guest } from "./support.ts";
import { awaitProcess, startClient } from "./waiting-client.ts";

const RULES = {
  "own-status": ["/bin/sh", "-c", "exit 7"],
  crash: ["/bin/sh", "-c", "kill -SEGV $$"],
  "cope-with-tasks": ["/bin/sh", "-c", "/opt/hostile/thread-bomb.pl 2>/dev/null; exit 0"],
  "lose-a-child": ["/bin/sh", "-c", "/opt/hostile/mmap-hog.pl; sleep 1; exit 3"],
  "lose-a-child-and-stay": ["/bin/sh", "-c", "trap '' TERM; /opt/hostile/mmap-hog.pl; sleep 100000; sleep 100000"],
  patient: ["/bin/sleep", "100000"],
  // ends when asked to, and leaves what does not
  parting: ["/bin/sh", "-c", "(trap '' TERM; exec sleep 100000) & exec sleep 100000"],
};

const starts = async (guest: Guest) => (await recordsOf(guest, "alpha", "session.start")).length;

describe("a command", () => {
  test("has a record of its own ending", async ({ builder }) => {
    await allow(builder, "alpha", RULES);
    await setRunTime(builder, "30s");
    const cases = [
      ["own-status", 7, undefined, { cause: "exit", exit_code: 7, leftovers: 0 }],
      ["crash", 139, "the command was ended by SIGSEGV", { cause: "signal", signal: "SIGSEGV" }],
      ["cope-with-tasks", 0, undefined, { cause: "exit", exit_code: 0 }],
    ] as const;
    for (const [request, status, told, end] of cases) {
      const { exitCode, stderr, story } = await attempt(builder, request);
      expect.soft(lineOf(stderr), request).toBe(told);
      expect.soft(exitCode, request).toBe(status);
      expect.soft(story.ended, request).toMatchObject(end);
    }
  });

  // With OOMPolicy=stop, the manager's default, systemd itself then stops the whole scope.
  test.for(["lose-a-child", "lose-a-child-and-stay"])(
    "whose child the OOM killer ends has a record with its figures (%s)",
    async (request, { builder }) => {
      const { stderr, story } = await attempt(builder, request);
      expect.soft(story.ended).toMatchObject({ cause: "oom", usage: { oom_kills: 1, memory_peak_bytes: 64 << 20 } });
      expect.soft(lineOf(stderr)).toBe("memory limit of 64M reached");
      await awaitNothing(builder, 1000);
    },
  );
});

/** Waiting; deaf to SIGTERM; about to leave something that is; outrun and being stopped. */
const PHASES = ["patient", "ignore-sigterm", "parting", "fork-bomb"];

/** Those that take no while are tried on each of them. */
const phasesOf = (name: string) => (/killed$/.test(name) ? PHASES : ["ignore-sigterm"]);

describe.for(Object.entries<Blow>(BLOWS))("when %s", ([name, { late, cause, strike }]) => {
  test("a session that waits for a line ends", async ({ builder }) => {
    const before = await starts(builder);
    using client = startClient(builder);
    await waitFor("the session", async () => (await starts(builder)) > before);
    await strike(client, builder);
    await awaitNothing(builder, late + BOUND);
    if (cause === undefined) await expectCause(builder, cause);
    const { over } = await storyOf(builder);
    // what reads the lines is the shim's own process: its end by a signal is on record as such where it is seen first
    const unsaid = supervised(builder) ? "client-gone|signal" : "supervisor-lost";
    const causes = `^(${cause ?? unsaid}|exit)$`; // exit: the stream's end came first
    expect(over).toMatchObject({ commands: 0, cause: expect.stringMatching(causes) });
  });

  test.for(phasesOf(name))("all processes of a running command end (%s)", async (request, { builder }) => {
    using client = startClient(builder, request);
    await awaitProcess(
      builder,
      request === "ignore-sigterm" ? "/opt/hostile/ignore-sigterm" : "sleep 100000|/opt/hostile/fork-bomb",
    );
    await strike(client, builder);
    await awaitNothing(builder, late + BOUND);
    const { ended } = await storyOf(builder);
    if (request === "fork-bomb" && ended?.cause === "tasks-limit") return;
    await expectCause(builder, cause);
  });
});

// sshd lives on then, and closes no more than its ends of the pipes.
test("a killed client of a shared connection ends its own command, and no other's", async ({ builder }) => {
  const path = join(runFolder(builder.state.name), "shared.sock");
  const shared = (master: string) => ["-o", `ControlMaster=${master}`, "-o", `ControlPath=${path}`];
  using _master = startClient(builder, "parting", "nix-alpha", shared("yes"));
  await awaitProcess(builder, "^sleep 100000");
  using client = startClient(builder, "patient", "nix-alpha", shared("no"));
  await awaitProcess(builder, "^/bin/sleep 100000");
  client.kill("SIGKILL");
  const over = async () => (await recordsOf(builder, "alpha", "session.end")).at(-1)?.session;
  const { session } = (await recordsOf(builder, "alpha", "command.start")).at(-1) ?? {};
  await waitFor("the end of its session", async () => (await over()) === session, BOUND);
  await expectCause(builder, "client-gone");
  expect((await builder.asRoot("pgrep -u nix-alpha -f '^sleep 100000'")).exitCode).toBe(0);
  await endNixgate(builder);
  await awaitNothing(builder, BOUND);
});
