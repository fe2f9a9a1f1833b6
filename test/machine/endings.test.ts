import { describe, expect } from "vitest";
import { waitFor } from "../support/wait-for.ts";
import { attempt, awaitNothing, lineOf, setRunTime, storyOf, test } from "./hostile.ts";
import { allow } from "./policies.ts";
import { recordsOf } from "./records.ts";
import type { Guest } from "./support.ts";
import { awaitProcess, startClient } from "./waiting-client.ts";

/** client_gone_grace + stop_timeout of alpha here, and what a busy machine may take besides, in milliseconds. */
const BOUND = 2000 + 1500;
/** ClientAliveInterval × ClientAliveCountMax of the guest's sshd. */
const ALIVE = 3000 + 6000;

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
  test("is on record with its own ending", async ({ builder }) => {
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
    "that loses a child to the OOM killer is on record with its figures (%s)",
    async (request, { builder }) => {
      const { stderr, story } = await attempt(builder, request);
      expect.soft(story.ended).toMatchObject({ cause: "oom", usage: { oom_kills: 1, memory_peak_bytes: 64 << 20 } });
      expect.soft(lineOf(stderr)).toBe("memory limit of 64M reached");
      await awaitNothing(builder, 1000);
    },
  );

  test("whose limit cannot be had does not begin", async ({ builder }) => {
    const delegate = (dropIn: string) =>
      builder.asRoot(
        [
          "uid=$(id -u nix-alpha); folder=/run/systemd/system/user@$uid.service.d; rm -rf $folder",
          dropIn,
          "systemctl daemon-reload; systemctl restart user@$uid",
        ].join("\n"),
      );
    await delegate("mkdir -p $folder; printf '[Service]\\nDelegate=\\nDelegate=pids memory\\n' >$folder/10.conf");
    const { exitCode, stderr, story } = await attempt(builder, "own-status");
    await delegate("");
    expect.soft(exitCode).toBe(69);
    expect
      .soft(lineOf(stderr))
      .toBe("the command cannot be given its limits: limits.CPUQuota is not there instead of 50000 100000");
    expect.soft(story.ended).toMatchObject({ cause: "scope-failed", usage: {} });
    await awaitNothing(builder, 1000);
  });

  test("whose account has no user manager does not begin", async ({ builder }) => {
    const bus = "/run/user/$(id -u nix-alpha)/systemd/private /run/user/$(id -u nix-alpha)/bus";
    await builder.asRoot(`chmod 000 ${bus}`);
    const { exitCode, stderr, story } = await attempt(builder, "own-status");
    await builder.asRoot(`chmod 700 ${bus}`);
    expect.soft(exitCode).toBe(69);
    expect.soft(lineOf(stderr)).toMatch(/^the command cannot be given its limits: systemd-run failed with status 1: /);
    expect.soft(story.ended).toMatchObject({ cause: "scope-failed", usage: {} });
    await awaitNothing(builder, 1000);
  });
});

/** Waiting; deaf to SIGTERM; about to leave something that is; outrun and being stopped. */
const PHASES = ["patient", "ignore-sigterm", "parting", "fork-bomb"];

/** What ends a session from outside: how long until nixgate can know, and what it then says. */
const BLOWS = {
  "the client is killed": { late: 0, cause: "client-gone", phases: PHASES, strike: (client) => client.kill("SIGKILL") },
  "the client stops answering": { late: ALIVE, cause: "client-gone", strike: (client) => client.kill("SIGSTOP") },
  "sshd loses the connection": {
    late: 0,
    cause: "client-gone",
    strike: (_, guest) => guest.asRoot("pkill -KILL -u nix-alpha -f '^sshd(-session)?: '"),
  },
  "the administrator ends nixgate": {
    late: 0,
    cause: "killed-by-admin",
    strike: (_, guest) => guest.asRoot("pkill -TERM -u nix-alpha -f nixgate.cjs"),
  },
  "nixgate is killed": {
    late: 0,
    cause: undefined,
    phases: PHASES,
    strike: (_, guest) => guest.asRoot("pkill -KILL -u nix-alpha -f nixgate.cjs"),
  },
} satisfies Record<string, Blow>;

interface Blow {
  /** What the command does at that time, where it is more than ignoring SIGTERM. */
  readonly phases?: readonly string[];
  readonly late: number;
  /** Undefined: nobody is left to say it. */
  readonly cause: string | undefined;
  strike(client: ReturnType<typeof startClient>, guest: Guest): unknown;
}

describe.for(Object.entries<Blow>(BLOWS))("when %s", ([, { late, cause, strike, phases = ["ignore-sigterm"] }]) => {
  test("while the loop waits, the session ends", async ({ builder }) => {
    const before = await starts(builder);
    using client = startClient(builder);
    await waitFor("the session", async () => (await starts(builder)) > before);
    await strike(client, builder);
    await awaitNothing(builder, late + BOUND);
    const { over } = await storyOf(builder);
    if (cause) expect(over).toMatchObject({ commands: 0, cause: expect.stringMatching(`^(${cause}|exit)$`) });
    else expect(over).toBeUndefined();
  });

  test.for(phases)("while a command runs, all of it ends (%s)", async (request, { builder }) => {
    using client = startClient(builder, request);
    await awaitProcess(
      builder,
      request === "ignore-sigterm" ? "/opt/hostile/ignore-sigterm" : "sleep 100000|/opt/hostile/fork-bomb",
    );
    await strike(client, builder);
    await awaitNothing(builder, late + BOUND);
    const { ended } = await storyOf(builder);
    if (request === "fork-bomb" && ended?.cause === "tasks-limit") return;
    expect(ended?.cause).toBe(cause);
  });
});

test.for([0, 0.1, 0.2, 0.3, 0.5])(
  "nixgate may be killed %s seconds after its start: nothing is left",
  async (seconds, { builder }) => {
    using client = startClient(builder, "patient");
    const nixgate = "-u nix-alpha -f nixgate.cjs";
    const looking = `until pgrep ${nixgate} >/dev/null; do sleep 0.01; done; sleep ${seconds}; pkill -KILL ${nixgate}`;
    expect((await builder.asRoot(`timeout 10 sh -c '${looking}'`)).exitCode).toBe(0);
    await awaitNothing(builder, BOUND);
    client.kill();
  },
);
