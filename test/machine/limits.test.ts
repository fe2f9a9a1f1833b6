import type { Readable } from "node:stream";
import { text } from "node:stream/consumers";
import { describe, expect } from "vitest";
import { waitFor } from "../support/wait-for.ts";
import {
  attempt,
  awaitNothing,
  endNixgate,
  lineOf,
  pauseNixgate,
  program,
  remains,
  resumeNixgate,
  setRunTime,
  storyOf,
  test,
} from "./hostile.ts";
import { allow, edit } from "./policies.ts";
import { recordsOf } from "./records.ts";
import type { Guest } from "./support.ts";
import { awaitProcess, startClient } from "./waiting-client.ts";

const MIB = 1 << 20;
const RUNS = 100;

describe("the figures", () => {
  test(`are the kernel's: 300 MiB held for 20 ms are seen in each of ${RUNS} runs`, async ({ builder }) => {
    await allow(builder, "alpha", { touch: program("mmap-hog.pl", "300", "20") });
    await edit(builder, "alpha", 's/"64M"/"400M"/\n/^CPUQuota/d\n/^.session/a max_commands = 200');
    await setRunTime(builder, "30s");
    const { exitCode } = await builder.ssh("nix-alpha", undefined, { input: "touch\n".repeat(RUNS) });
    await edit(builder, "alpha", 's/"400M"/"64M"/\n/^MemorySwapMax/a CPUQuota = "50%"');
    expect(exitCode).toBe(0);
    const ends = await recordsOf(builder, "alpha", "command.end");
    const peaks = ends.map(({ usage }) => usage.memory_peak_bytes ?? 0);
    expect(peaks).toHaveLength(RUNS);
    expect(Math.min(...peaks)).toBeGreaterThanOrEqual(300 * MIB);
  });

  test("hold the CPU quota within 10 % and tell the throttling", async ({ builder }) => {
    await setRunTime(builder, "4s");
    const { story } = await attempt(builder, "cpu-hog");
    const { usage, wall_ms = 0 } = story.ended ?? {};
    expect((usage?.cpu_ms ?? 0) / wall_ms).toBeGreaterThan(0.45);
    expect((usage?.cpu_ms ?? 0) / wall_ms).toBeLessThan(0.55);
    expect(usage?.cpu_throttled_ms).toBeGreaterThan(1000);
  });
});

describe("the team's limits", () => {
  test("hold over two sessions together, also when they change between sessions", async ({ builder }) => {
    await setRunTime(builder, "30s");
    await allow(builder, "alpha", { hold: program("mmap-hog.pl", "50", "3000") });
    const together = () => Promise.all([builder.ssh("nix-alpha", "hold"), builder.ssh("nix-alpha", "hold")]);

    await edit(builder, "alpha", 's/^MemoryMax = "1G"/MemoryMax = "80M"/');
    const tight = await together();
    expect(tight.map(({ exitCode }) => exitCode).sort()).toEqual([0, 137]);
    const lost = tight.find(({ exitCode }) => exitCode === 137)?.stderr ?? "";
    expect(lineOf(lost)).toBe("memory limit of the team reached");
    expect((await storyOf(builder, lost)).ended).toMatchObject({ cause: "oom" });

    await edit(builder, "alpha", 's/^MemoryMax = "80M"/MemoryMax = "120M"/');
    expect((await together()).map(({ exitCode }) => exitCode)).toEqual([0, 0]);
    await edit(builder, "alpha", 's/^MemoryMax = "120M"/MemoryMax = "1G"/');
  });

  test("are named where they are what a command ran into", async ({ builder }) => {
    await setRunTime(builder, "30s");
    const twenty = "for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 7777 & done; wait";
    await allow(builder, "alpha", { twenty: ["/bin/sh", "-c", twenty] });
    await edit(builder, "alpha", "s/^TasksMax = 512/TasksMax = 70/");
    using _other = startClient(builder, "twenty");
    await awaitProcess(builder, "sleep 7777");
    const { exitCode, stderr, story } = await attempt(builder, "fork-bomb");
    await endNixgate(builder);
    await edit(builder, "alpha", "s/^TasksMax = 70/TasksMax = 512/");
    expect.soft(exitCode).toBe(11);
    expect.soft(lineOf(stderr)).toBe("limit of the team's tasks reached");
    expect.soft(story.ended).toMatchObject({ cause: "tasks-limit" });
    await awaitNothing(builder, 4000);
  });
});

test("a file left in memory counts against the team's limit until it is removed", async ({ builder }) => {
  await attempt(builder, "tmpfs-hog");
  const charged = async () =>
    Number((await builder.asRoot("cat $(find /sys/fs/cgroup -name nixgate-alpha.slice)/memory.current")).stdout);
  expect(await charged()).toBeGreaterThan(60 * MIB);
  await builder.asRoot("rm /dev/shm/nixgate-hog.*");
  expect(await charged()).toBeLessThan(30 * MIB);
});

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
    expect.soft(lineOf(stderr)).toBe("memory limit around the team reached");
    expect.soft(story.ended).toMatchObject({ cause: "oom", signal: "SIGKILL" });
    expect.soft(story.ended?.usage.memory_peak_bytes ?? 0).toBeLessThanOrEqual(250 * MIB);
    await awaitNothing(builder, 1000);
  });

  // Its OOMScoreAdjust=100 counts as a tenth of the bound, more than each of these has.
  test("the OOM killer takes of many small processes one, not the account's own systemd", async ({ builder }) => {
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
    expect.soft(lineOf(stderr)).toBe("memory limit around the team reached");
    expect.soft(story.ended).toMatchObject({ cause: "oom" });
  });

  // While the memory of a process that it has ended is not free yet, the OOM killer may strike again: on a busy host it
  // sometimes takes the account's own systemd, with which every scope goes at once.
  test("the OOM killer's cause is told, even when it takes the account's own systemd along", async ({ builder }) => {
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
    expect.soft(lineOf(await told)).toBe("memory limit around the team reached");
    await slice(builder, "MemoryMax=infinity");
    const { ended } = await storyOf(builder);
    expect.soft(ended).toMatchObject({ cause: "oom", signal: "SIGKILL" });
    expect.soft(ended?.usage).toEqual({}); // nobody saw them; the test would show nothing else
    await awaitNothing(builder, 1000);
  });
});
