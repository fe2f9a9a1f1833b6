import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect } from "vitest";
import { waitFor } from "../../support/wait-for.ts";
import {
  attempt,
  awaitNothing,
  lineOf,
  pauseNixgate,
  remains,
  resumeNixgate,
  setRunTime,
  storyOf,
  test,
} from "../hostile.ts";
import { allow, edit } from "../policies.ts";
import type { Guest } from "../support.ts";
import { awaitProcess, startClient } from "../waiting-client.ts";

const MIB = 1 << 20;

describe("what a limit is worth under the user manager", () => {
  const slice = (guest: Guest, setting: string) =>
    guest.asRoot(`systemctl set-property --runtime user-$(id -u nix-alpha).slice ${setting}`);

  test("the account can raise its own scope's", async ({ builder }) => {
    await setRunTime(builder, "30s");
    const { exitCode, story } = await attempt(builder, "raise");
    expect(exitCode).toBe(0);
    expect(story.begun?.limits.applied).toMatchObject({ MemoryMax: String(64 * MIB) });
    expect(story.ended?.usage.memory_peak_bytes).toBeGreaterThanOrEqual(120 * MIB);
  });

  test("the account cannot raise root's bound on its user slice", async ({ builder }) => {
    await setRunTime(builder, "30s");
    await slice(builder, "MemoryMax=250M");
    const { stdout } = await builder.asAccount(
      "nix-alpha",
      [
        "cd /sys/fs/cgroup/user.slice/user-$(id -u).slice",
        "systemctl set-property --runtime user-$(id -u).slice MemoryMax=infinity 2>/dev/null && echo raised",
        "(echo max >memory.max) 2>/dev/null && echo written",
        "cat memory.max",
      ].join("\n"),
    );
    expect(`${stdout}`.trim()).toBe(String(250 * MIB));
    const { exitCode, stderr, story } = await attempt(builder, "raise-all");
    await slice(builder, "MemoryMax=infinity");
    expect.soft(exitCode).toBe(137);
    expect.soft(lineOf(stderr)).toBe("memory limit above the team reached");
    expect.soft(story.ended).toMatchObject({ cause: "oom", limit_of: "ancestor", signal: "SIGKILL" });
    expect.soft(story.ended?.usage.memory_peak_bytes ?? 0).toBeLessThanOrEqual(250 * MIB);
    await awaitNothing(builder, 1000);
  });

  // Its OOMScoreAdjust=100 counts as a tenth of the bound, more than each of these has.
  test("the OOM killer ends one of many small processes, and not the account's systemd", async ({ builder }) => {
    const twelve = "for _ in 1 2 3 4 5 6 7 8 9 10 11 12; do /opt/hostile/mmap-hog.pl 50 5000 & done; wait; exit 3";
    await allow(builder, "alpha", { twelve: ["/bin/sh", "-c", twelve] });
    await edit(builder, "alpha", 's/^MemoryMax = "64M"/MemoryMax = "900M"/');
    await setRunTime(builder, "30s");
    const manager = async () => `${(await builder.asRoot("pgrep -u nix-alpha -x systemd")).stdout}`;
    const before = await manager();
    await slice(builder, "MemoryMax=600M");
    const { stderr, story } = await attempt(builder, "twelve");
    await slice(builder, "MemoryMax=infinity");
    await edit(builder, "alpha", 's/^MemoryMax = "900M"/MemoryMax = "64M"/');
    expect.soft(await manager()).toBe(before);
    expect.soft(lineOf(stderr)).toBe("memory limit above the team reached");
    expect.soft(story.ended).toMatchObject({ cause: "oom", limit_of: "ancestor" });
  });

  // While the memory of a process that it has ended is not free yet, the OOM killer may strike again: on a busy host it
  // sometimes takes the account's own systemd, with which every scope goes at once.
  test("the recorded cause is oom, even if the OOM killer ends the account's systemd", async ({ builder }) => {
    await setRunTime(builder, "30s");
    await slice(builder, "MemoryMax=250M");
    const kills = "grep oom_kill /sys/fs/cgroup/user.slice/user-$(id -u nix-alpha).slice/memory.events";
    const before = `${(await builder.asRoot(kills)).stdout}`;
    using client = startClient(builder, "raise-later");
    const told = text(client.stderr as Readable);
    await awaitProcess(builder, "^sleep 1.777");
    await pauseNixgate(builder);
    await waitFor("the OOM killer", async () => `${(await builder.asRoot(kills)).stdout}` !== before);
    await builder.asRoot("pkill -KILL -u nix-alpha -x systemd");
    await waitFor("no scope", async () => !/\.scope$/.test(await remains(builder)));
    await resumeNixgate(builder);
    expect.soft(lineOf(await told)).toBe("memory limit above the team reached");
    await slice(builder, "MemoryMax=infinity");
    const { ended } = await storyOf(builder);
    expect.soft(ended).toMatchObject({ cause: "oom", signal: "SIGKILL" });
    expect.soft(ended?.usage).toEqual({}); // nobody saw them; the test would show nothing else
    await awaitNothing(builder, 1000);
  });
});
