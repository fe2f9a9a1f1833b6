import { expect } from "vitest";
import { awaitNothing, endNixgate, program, setRunTime, test } from "./hostile.ts";
import { allow } from "./policies.ts";
import type { Guest } from "./support.ts";
import { awaitProcess, startClient } from "./waiting-client.ts";

const MIB = 1 << 20;
const TWENTY = "for _ in 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20; do sleep 7777 & done; wait";

/** A file of the cgroup of the one process that matches. */
const fileOf = async (guest: Guest, pattern: string, file: string) =>
  Number(
    (
      await guest.asRoot(
        `cat /sys/fs/cgroup$(cut -d: -f3 /proc/$(pgrep -o -u nix-alpha -f '${pattern}')/cgroup)/${file}`,
      )
    ).stdout,
  );

test("sessions top shows the usage of busy sessions against their limits", async ({ builder }) => {
  await setRunTime(builder, "60s");
  await allow(builder, "alpha", {
    hold: program("mmap-hog.pl", "40", "60000"),
    twenty: ["/bin/sh", "-c", TWENTY],
  });
  using _cpu = startClient(builder, "cpu-hog");
  using _memory = startClient(builder, "hold");
  using _tasks = startClient(builder, "twenty");
  await awaitProcess(builder, "^/bin/sh /opt/hostile/cpu-hog");
  await awaitProcess(builder, "^/usr/bin/perl /opt/hostile/mmap-hog");
  await awaitProcess(builder, "^sleep 7777");

  const top = async (options: string) => `${(await builder.asRoot(`nixgate sessions top ${options}`)).stdout}`;
  const { sessions } = JSON.parse(await top("--json --interval 3s"));
  const row = (command: string) => sessions.find((session: { command: string }) => session.command === command);
  expect(sessions.map(({ command }: { command: string }) => command)[0]).toBe("cpu-hog");
  expect(sessions).toHaveLength(3);
  for (const { team, cpu_quota_percent, memory_max_bytes, tasks_max } of sessions)
    expect({ team, cpu_quota_percent, memory_max_bytes, tasks_max }).toEqual({
      team: "alpha",
      cpu_quota_percent: 50,
      memory_max_bytes: 64 * MIB,
      tasks_max: 64,
    });

  expect(row("cpu-hog").cpu_percent).toBeGreaterThan(40);
  expect(row("cpu-hog").cpu_percent).toBeLessThan(57);
  expect(row("hold").cpu_percent).toBeLessThan(10);
  expect(row("hold").memory_bytes).toBeGreaterThan(40 * MIB);
  expect(Math.abs(row("hold").memory_bytes - (await fileOf(builder, "^/usr/bin/perl", "memory.current")))).toBeLessThan(
    MIB,
  );
  expect(row("twenty").tasks).toBe(22);
  expect(await fileOf(builder, "^sleep 7777", "pids.current")).toBe(22);

  const table = (await top("--once --interval 2s")).split("\n");
  const line = (command: string) => table.find((text) => text.endsWith(command));
  expect(line("cpu-hog")).toMatch(/ (4\d|5[0-7])% \/ 50% /);
  expect(line("hold")).toMatch(/ 4\d(\.\d)? MiB \/ 64 MiB /);
  expect(line("twenty")).toMatch(/ 22 \/ 64 /);
  expect(await top("--json --team gamma")).toContain('"sessions": []');

  await endNixgate(builder);
  await awaitNothing(builder, 5000);
  expect(await top("--json")).toContain('"sessions": []');
});
