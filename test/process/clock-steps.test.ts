import { appendFileSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { expect, onTestFinished, test } from "vitest";
import { startTicks } from "../../src/system/kernel/process-group.ts";
import { nixgate } from "../support/nixgate.ts";
import { pidOf } from "../support/processes.ts";
import { bodies, sessionLines } from "../support/records.ts";
import { session, startSession } from "../support/run-session.ts";
import { workplace } from "../support/workplace.ts";

const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
const now = Date.now();
const HOUR = 3_600_000;
/** The start of a session that waits for a line: its process stands for that of a session that is made up. */
function served() {
  const serving = startSession(workplace(), {});
  onTestFinished(() => void serving.kill("SIGKILL"));
  const pid = pidOf(serving);
  return { ...bodies.start, pid, started_ticks: startTicks(pid) as number };
}

/** An archive with one session that runs; its records have the time that the clock showed when it began. */
function running(began: number, host: string) {
  const place = workplace();
  const { session, lines } = sessionLines(began, [served(), bodies.run], { host, boot });
  mkdirSync(join(place.log, "alpha"));
  const path = join(place.log, "alpha", `${new Date(began).toISOString().slice(0, 10)}.jsonl`);
  writeFileSync(path, lines.join(""));
  const ask = async (...words: string[]) => {
    const { status, stdout, stderr } = await nixgate([...words, "--config-dir", place.config]);
    return { status, stderr, stdout: stdout.toString() };
  };
  return { session, path, ask, seals: join(place.folder, "seals") };
}

test.each([
  ["set back by an hour", now + HOUR],
  ["set forward by two minutes", now - 120_000],
  ["set forward by two hours", now - 2 * HOUR],
  ["set forward by three days", now - 72 * HOUR],
  ["at the beginning of 1970", 10_000],
  ["in 2099", Date.parse("2099-03-01T12:00:00Z")],
])("a session runs for every command, where the clock was %s since and the host renamed", async (_, began) => {
  const { session, ask, seals, path } = running(began, "localhost");
  expect(JSON.parse((await ask("sessions", "list", "--json")).stdout)).toMatchObject([{ session, state: "running" }]);
  expect((await ask("sessions", "list", "--running", "--json")).stdout).toContain(session);
  expect(JSON.parse((await ask("sessions", "top", "--json")).stdout).sessions).toMatchObject([{ session }]);
  expect((await ask("render", "prometheus")).stdout).toContain('nixgate_sessions_running{team="alpha"} 1');
  expect((await ask("recover")).stdout).toBe("nothing to recover\n");
  const verified = await ask("sessions", "verify", "--no-journal", "--json", "--seal-dir", seals);
  expect(JSON.parse(verified.stdout)).toMatchObject({ running: 1, findings: [] });
  const pruned = await ask("sessions", "prune", "--clock-is-right", "--older-than", "1d", "--seal-dir", seals);
  const isOld = began < now - 24 * HOUR;
  expect({ status: pruned.status, kept: pruned.stdout.includes("still running") }).toEqual({
    ...{ status: isOld ? 75 : 0, kept: isOld },
  });
  expect(readFileSync(path, "utf8")).toContain(session);
});

test("a session of an earlier boot is ended, whatever the host was called then", async () => {
  const place = workplace();
  await session(place, { request: "no-such-thing" });
  const [own] = place.records();
  const machine = own?.event === "session.start" ? own.machine : undefined;
  expect(machine).toMatch(/^[0-9a-f]{64}$/);
  const began = [{ ...served(), machine }];
  const { session: id, lines } = sessionLines(now - HOUR, began, { host: "localhost" });
  const stranger = sessionLines(now - HOUR, [{ ...served(), machine: "0".repeat(64) }], { host: "localhost" });
  const day = new Date(now - HOUR).toISOString().slice(0, 10);
  appendFileSync(join(place.log, "alpha", `${day}.jsonl`), [...lines, ...stranger.lines].join(""));
  const { stdout } = await nixgate(["recover", "--json", "--config-dir", place.config]);
  expect(JSON.parse(stdout.toString()).recovered).toMatchObject([{ session: id }]);
});

test("prune under a clock that is wrong keeps what is young, until an administrator says that the clock is right", async () => {
  const place = workplace();
  const seals = join(place.folder, "seals");
  mkdirSync(join(place.log, "alpha"));
  const young = "2026-11-29";
  const path = (day: string) => join(place.log, "alpha", `${day}.jsonl`);
  const days = Array.from({ length: 40 }, (_, ago) =>
    new Date(Date.parse(young) - ago * 24 * HOUR).toISOString().slice(0, 10),
  );
  for (const day of days) {
    const { lines } = sessionLines(`${day}T01:00:00Z`, [bodies.start, bodies.run, bodies.ran, bodies.end]);
    writeFileSync(path(day), lines.join(""));
  }
  const clock = join(import.meta.dirname, "../fixtures/programs/fixed-clock.cjs");
  const words = ["sessions", "prune", "--older-than", "30d", "--config-dir", place.config, "--seal-dir", seals];
  /** @param isSynchronised what the kernel says of the clock: of the real one, which timedatectl(1) would ask for */
  const prune = (isSynchronised: "yes" | "no", ...more: string[]) => {
    writeFileSync(join(place.folder, "timedatectl"), `#!/bin/sh\necho ${isSynchronised}\n`, { mode: 0o755 });
    // bin/nixgate passes on no NODE_OPTIONS
    return execa(resolve("dist/node"), ["--require", clock, resolve("bin/nixgate.cjs"), ...words, ...more], {
      env: { FIXED_CLOCK: String(Date.parse("2099-03-01T12:00:00Z")), PATH: place.folder },
      reject: false,
    });
  };
  const wrong = await prune("no");
  expect(wrong).toMatchObject({
    exitCode: 75,
    stderr: expect.stringContaining("30 files before 2099-01-30 kept: the clock is not synchronised, and too little"),
  });
  expect(wrong.stdout).toContain("10 files before 2026-10-31 removed");
  expect(days.filter((day) => existsSync(path(day)))).toHaveLength(30);
  expect((await prune("no", "--clock-is-right", "--dry-run")).stdout).toContain("30 files before 2099-01-30 would");
  expect((await prune("yes")).exitCode).toBe(0);
  expect(readdirSync(join(place.log, "alpha"))).toEqual([]);
});
