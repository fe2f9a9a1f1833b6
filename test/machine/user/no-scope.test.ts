import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect } from "vitest";
import { waitFor } from "../../support/wait-for.ts";
import { BOUND } from "../blows.ts";
import { attempt, awaitNothing, lineOf, serving, setRunTime, storyOf, test } from "../hostile.ts";
import { allow } from "../policies.ts";
import { recordsOf } from "../records.ts";
import type { Guest } from "../support.ts";
import { awaitProcess, startClient } from "../waiting-client.ts";

const RULES = { "own-status": ["/bin/sh", "-c", "exit 7"], patient: ["/bin/sleep", "100000"] };

const starts = async (guest: Guest) => (await recordsOf(guest, "alpha", "session.start")).length;

describe("a command", () => {
  test("with a limit that is not available does not begin", async ({ builder }) => {
    await allow(builder, "alpha", RULES);
    await setRunTime(builder, "30s");
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
      .toBe(
        "the command cannot be given its limits: limits.CPUQuota needs cpu.max of cgroup v2, which is missing: the kernel or systemd has no cpu controller for it",
      );
    expect.soft(story.ended).toMatchObject({ cause: "scope-failed", usage: {} });
    await awaitNothing(builder, 1000);
  });

  test("with a scope name in use does not begin, and leaves that scope alone", async ({ builder }) => {
    const before = await starts(builder);
    using client = startClient(builder);
    const told = text(client.stderr as Readable);
    await waitFor("the session", async () => (await starts(builder)) > before);
    const { session } = (await storyOf(builder)).all[0] ?? {};
    const unit = `nixgate-alpha-${session}-1.scope`;
    await builder.asAccount(
      "nix-alpha",
      `systemd-run --user --scope --quiet --collect --unit=${unit} /bin/sleep 7654 >/dev/null 2>&1 &`,
    );
    await awaitProcess(builder, "^/bin/sleep 7654");
    client.stdin?.end("own-status\n");
    // The greeting of a client that sent nothing comes first.
    expect
      .soft(lineOf((await told).trimEnd().split("\n").at(-1) ?? ""))
      .toMatch(/^the command cannot be given its limits: systemd-run failed with status 1: /);
    const { ended, over } = await storyOf(builder);
    expect.soft(ended).toMatchObject({ cause: "scope-failed", usage: {} });
    expect.soft(over).toMatchObject({ cause: "scope-failed", exit: 69 });
    expect.soft((await builder.asRoot("pkill -u nix-alpha -f '^/bin/sleep 7654'")).exitCode).toBe(0);
    await awaitNothing(builder, 1000);
  });

  test("of an account without a user manager does not begin", async ({ builder }) => {
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

test.for([0, 0.1, 0.2, 0.3, 0.5])(
  "a kill of nixgate %s seconds after its start leaves nothing",
  async (seconds, { builder }) => {
    using client = startClient(builder, "patient");
    const looking = `until pgrep ${serving(builder)} >/dev/null; do sleep 0.01; done; sleep ${seconds}; pkill -KILL ${serving(builder)}`;
    expect((await builder.asRoot(`timeout 10 sh -c '${looking}'`)).exitCode).toBe(0);
    await awaitNothing(builder, BOUND);
    client.kill();
  },
);
