import { describe, expect } from "vitest";
import { waitFor } from "../support/wait-for.ts";
import { test as hostile, lineOf, setRunTime, storyOf } from "./hostile.ts";
import { sliceFolder, supervised, systemctl } from "./managers.ts";
import { allow } from "./policies.ts";
import type { Guest } from "./support.ts";
import { awaitProcess, startClient } from "./waiting-client.ts";

const obeys = (status: number) => ["/bin/sh", "-c", `trap 'exit ${status}' TERM; while :; do sleep 0.07771; done`];

/** Nix's programs answer SIGTERM with 0 or 1; others die of it. */
const RULES = { "obey-0": obeys(0), "obey-1": obeys(1), die: ["/bin/sleep", "77711"] };
const BY_ADMIN = "ended by the administrator";

interface Stop {
  readonly cause: string;
  readonly told: string;
  /** What ends it, given the scope's name and its folder. */
  strike(guest: Guest, unit: string, folder: string): Promise<unknown>;
}

const STOPS: Readonly<Record<string, Stop>> = {
  "somebody stops the scope": {
    ...{ cause: "killed-by-admin", told: BY_ADMIN },
    strike: (guest, unit) => systemctl(guest, `stop --no-block ${unit}`),
  },
  "somebody stops the team's slice": {
    ...{ cause: "killed-by-admin", told: BY_ADMIN },
    strike: (guest) => systemctl(guest, "stop --no-block nixgate-alpha.slice"),
  },
  "somebody sends all of the scope a signal": {
    ...{ cause: "signal", told: "the command was ended by" },
    strike: (guest, unit) => systemctl(guest, `kill ${unit}`),
  },
};

const test = hostile.extend<{ ready: Guest }>({
  ready: [
    async ({ builder }, use) => {
      await allow(builder, "alpha", RULES);
      await setRunTime(builder, "60s");
      await use(builder);
    },
    { scope: "file" },
  ],
});

/** Runs a request, ends it, and tells what both sides have of it. */
async function struck(guest: Guest, request: string, { strike }: Pick<Stop, "strike">) {
  using client = startClient(guest, request);
  let stderr = "";
  client.stderr?.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = new Promise<number | null>((resolve) => client.once("close", resolve));
  await awaitProcess(guest, request === "die" ? "^/bin/sleep 77711" : "^sleep 0.07771");
  const { begun } = await storyOf(guest);
  await strike(guest, `${begun?.unit}`, `${sliceFolder(guest)}/${begun?.unit}`);
  const status = await ended;
  await waitFor("the end on record", async () => (await storyOf(guest)).over);
  return { status, told: lineOf(stderr), story: await storyOf(guest) };
}

describe.for(Object.entries(STOPS))("when %s", ([, stop]) => {
  test.for(Object.keys(RULES))(
    "the record and the client's message name it (%s)",
    async (request, { ready: builder }) => {
      const { status, told, story } = await struck(builder, request, stop);
      expect.soft(story.ended).toMatchObject({ cause: stop.cause });
      expect.soft(story.over).toMatchObject({ cause: stop.cause, exit: 143 });
      expect.soft(told).toMatch(`${stop.told}`);
      expect.soft(status).toBe(143);
    },
  );
});

/** Between two lines the shim of a supervised session is in a scope of its own. */
const IDLE = "nixgate-alpha-*-wait.scope";

test.for([
  ["stop --no-block", IDLE, "killed-by-admin"],
  ["stop --no-block", "nixgate-alpha.slice", "killed-by-admin"],
  ["kill", IDLE, "signal"],
] as const)(
  "systemctl %s %s between two lines of a session has the recorded cause %s",
  async ([how, unit, cause], { ready: builder }) => {
    if (!supervised(builder)) return; // nixgate itself is no unit there: phases.test.ts ends it by signals
    const client = startClient(builder);
    const ended = new Promise<number | null>((resolve) => client.once("close", resolve));
    let told = "";
    client.stderr?.setEncoding("utf8").on("data", (text: string) => {
      told += text;
    });
    client.stdin?.write("echo started\n");
    await waitFor("started", () => new Promise((read) => client.stdout?.once("data", () => read(true))));
    await waitFor("a reader of lines", () => hasHandler(builder), 60_000);
    await systemctl(builder, `${how} '${unit}'`);
    expect(await ended).toBe(143);
    await waitFor("the end on record", async () => (await storyOf(builder)).over);
    expect((await storyOf(builder)).over).toMatchObject({ cause, exit: 143 });
    if (cause === "killed-by-admin") expect(lineOf(told)).toBe(BY_ADMIN);
  },
);

/** Whether the process that reads a line has begun to handle SIGTERM (proc_pid_status(5)). */
async function hasHandler(guest: Guest): Promise<boolean> {
  const { stdout } = await guest.asRoot("grep SigCgt /proc/$(pgrep -u nix-alpha -f read-request)/status");
  return (Number.parseInt(`${stdout}`.trim().slice(-8), 16) & (1 << 14)) !== 0;
}

test("a restart of the account's systemd is on record as a kill by the administrator", async ({ ready: builder }) => {
  await setRunTime(builder, "60s");
  if (supervised(builder)) return; // running commands outlive the supervisor: system/lost-supervisor.test.ts
  const { story } = await struck(builder, "obey-1", {
    strike: (guest) => guest.asRoot("systemctl restart user@$(id -u nix-alpha)"),
  });
  expect(story.ended).toMatchObject({ cause: "killed-by-admin", exit_code: 1, status: 143 });
});

test("a kill by systemd-oomd has the cause oom under the supervisor, and signal elsewhere", async ({
  ready: builder,
}) => {
  await setRunTime(builder, "60s");
  // systemd-oomd.service needs pressure stall information (ConditionControlGroupController=, /proc/pressure), which
  // User-Mode Linux has not. So this does what systemd-oomd(8) does: it counts on the cgroup, and kills all that is in it.
  expect((await builder.asRoot("test -e /proc/pressure")).exitCode, "the real one can run: use it").toBe(1);
  const { story } = await struck(builder, "die", {
    strike: (guest, _unit, folder) =>
      guest.asRoot(
        [
          `perl -e 'my ($f, $n, $v) = ("${folder}", "user.oomd_ooms", "1"); syscall(188, $f, $n, $v, 1, 0) == 0 or die $!'`,
          `kill -KILL $(cat ${folder}/cgroup.procs)`,
        ].join("; "),
      ),
  });
  expect(story.ended?.cause).toBe(supervised(builder) ? "oom" : "signal");
  expect(story.over?.exit).toBe(137);
});

test("a time limit is the recorded cause also after a restart of the supervisor under load", {
  timeout: 120_000,
}, async ({ builder }) => {
  if (!supervised(builder)) return; // a session of its own has nothing to restart
  await setRunTime(builder, "6s");
  await builder.asRoot("for i in 1 2; do (timeout 60 sh -c 'while :; do :; done' >/dev/null 2>&1 &); done");
  for (let round = 0; round < 2; round += 1) {
    const { told, story } = await struck(builder, "die", {
      strike: (guest) => guest.asRoot("systemctl restart nixgate"),
    });
    expect.soft(story.over).toMatchObject({ cause: "timeout", exit: 143 });
    expect.soft(told).toBe("run time limit of 6s reached");
  }
  await builder.asRoot("pkill -f 'while :; do :; done'");
});

test("a session that stops its own sshd process ends when its client leaves", async ({ ready: builder }) => {
  const stop = "pkill -STOP -u $(id -u) '^sshd'; exec sleep 77711";
  await allow(builder, "alpha", { "stop-sshd": ["/bin/sh", "-c", stop] });
  await setRunTime(builder, "600s");
  const client = startClient(builder, "stop-sshd");
  // By then sshd was stopped. nixgate may have let it go on already.
  await awaitProcess(builder, "^sleep 77711");
  client.kill("SIGKILL");
  await waitFor("the end on record", async () => (await storyOf(builder)).over, 60_000);
  expect((await storyOf(builder)).over).toMatchObject({ cause: "client-gone" });
  await setRunTime(builder, "60s");
});
