import { appendFileSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startTicks } from "../../src/system/kernel/process-group.ts";
import { nixgate } from "../support/nixgate.ts";
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
  const pid = serving.pid as number;
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
  const pruned = await ask("sessions", "prune", "--older-than", "1d", "--seal-dir", seals);
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
