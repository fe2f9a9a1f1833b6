import { spawn, spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, readdirSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { openArchive } from "../../src/system/archive/archive.ts";
import { growthOf } from "../../src/system/archive/growth.ts";
import { startTicks } from "../../src/system/kernel/process-group.ts";
import type { SessionId } from "../../src/units/ids.ts";
import { nixgate } from "../support/nixgate.ts";
import { bodies, sessionLines } from "../support/records.ts";
import { answerOf, startSession } from "../support/run-session.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { waitFor } from "../support/wait-for.ts";
import { NIXGATE, PROGRAMS, type Workplace, workplace } from "../support/workplace.ts";

const top = (place: Workplace, ...words: string[]) =>
  nixgate(["sessions", "top", "--config-dir", place.config, ...words]);

function recordsSoFar({ records }: Workplace) {
  try {
    return records().length;
  } catch {
    return 0; // nothing is written yet
  }
}

/** One session that burns a CPU, one that sleeps, one that waits for a line. */
async function threeSessions(place: Workplace): Promise<() => Promise<unknown>> {
  place.edit("policies/alpha.toml", 'MemoryMax = "2G"', 'MemoryMax = "3G"');
  place.allow("burn", [`${PROGRAMS}/burn-cpu.sh`]);
  place.allow("wait", ["/bin/sleep", "7601.5"]);
  const children = [
    startSession(place, { request: "wait" }),
    startSession(place, { request: "burn", words: ["--member", "ci"] }),
    startSession(place, {}),
  ];
  const ended = Promise.all(children.map(answerOf));
  await waitFor("all of them", () => recordsSoFar(place) === 5);
  return () => {
    for (const child of children) child.kill("SIGTERM");
    return ended;
  };
}

test("--json has each running session with its figures, the busiest first, and the host", async () => {
  const place = workplace();
  const stop = await threeSessions(place);
  const { status, stdout, stderr } = await top(place, "--json");
  await stop();
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  const { host, sessions } = JSON.parse(stdout.toString());
  expect(host).toMatchObject({
    cpus: expect.any(Number),
    load: [expect.any(Number), expect.any(Number), expect.any(Number)],
  });
  expect(host.memory_available_bytes).toBeLessThan(host.memory_total_bytes);
  expect(sessions.map(({ command }: { command?: string }) => command)).toEqual(["burn", "wait", undefined]);
  const [burn, wait, loop] = sessions;
  expect(burn).toMatchObject({
    team: "alpha",
    member: "ci",
    isolation: "process",
    tasks_max: 256,
    memory_max_bytes: 3 * 1024 ** 3,
  });
  // How much of a CPU it gets is the other processes' affair.
  expect(burn.cpu_percent).toBeGreaterThan(2);
  expect(burn.cpu_percent).toBeGreaterThan(4 * wait.cpu_percent);
  expect(burn.cpu_percent).toBeLessThan(120);
  expect(wait).toMatchObject({ tasks: expect.any(Number), memory_bytes: expect.any(Number) });
  expect(loop).not.toHaveProperty("tasks");
  expect((await top(place, "--json")).stdout.toString()).toContain('"sessions": []');
});

test("--once is a table for eyes, also where stdout is no terminal", async () => {
  const place = workplace();
  const stop = await threeSessions(place);
  const [once, piped, other] = await Promise.all([top(place, "--once"), top(place), top(place, "--team", "beta")]);
  await stop();
  for (const { stdout } of [once, piped]) {
    const lines = stdout.toString().split("\n");
    expect(lines[0]).toMatch(/^3 sessions {2}· {2}load [\d. ]+ on \d+ CPUs? {2}· {2}memory .* of .* available$/);
    expect(lines[2]).toMatch(/^SESSION +TEAM +MEMBER +AGE +CPU +MEMORY +TASKS +COMMAND$/);
    expect(lines[3]).toMatch(/^[0-9a-f]{12} {2}alpha +ci +[\d.]+ m?s +\d+% +.* \/ 3 GiB +\d+ \/ 256 +burn$/);
  }
  expect(other.stdout.toString()).toMatch(/^0 sessions/);
});

test("lost, ended and foreign sessions are not shown, and no text reaches the terminal raw", async () => {
  const place = workplace();
  const boot = spawnSync("cat", ["/proc/sys/kernel/random/boot_id"], { encoding: "utf8" }).stdout.trim();
  const now = new Date().toISOString();
  const nasty = "\u001b]0;x\u0007\u202e";
  const here = { host: hostname(), boot };
  const { pid: gone } = spawnSync("true");
  const lines = [
    sessionLines(now, [{ ...bodies.start, pid: gone }], here),
    sessionLines(now, [{ ...bodies.start, pid: process.pid }, bodies.end], here),
    sessionLines(now, [{ ...bodies.start, pid: process.pid, started_ticks: startTicks("self") }], {
      host: "elsewhere",
    }),
    sessionLines(
      now,
      [
        { ...bodies.start, pid: process.pid, started_ticks: startTicks("self"), member: nasty },
        { ...bodies.run, request: nasty },
      ],
      here,
    ),
  ].flatMap((session) => session.lines);
  mkdirSync(join(place.log, "alpha"));
  writeFileSync(join(place.log, "alpha", `${now.slice(0, 10)}.jsonl`), lines.join(""));
  const { stdout } = await top(place, "--once");
  const shown = stdout.toString().trimEnd().split("\n");
  expect(shown).toHaveLength(4);
  expect(shown.join("")).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  expect(shown[3]).toContain("\\u{1b}]0;x\\u{7}\\u{202e}");
});

test("a session of another team in a team's folder is not shown, and does not hide the other team's own", async () => {
  const place = workplace();
  const boot = spawnSync("cat", ["/proc/sys/kernel/random/boot_id"], { encoding: "utf8" }).stdout.trim();
  const now = new Date().toISOString();
  const start = { ...bodies.start, pid: process.pid, started_ticks: startTicks("self") };
  const beta = { host: hostname(), boot, team: "beta" };
  const own = sessionLines(now, [{ ...start, member: "own" }], beta);
  const forged = [
    ...sessionLines(now, [{ ...start, member: "forged" }], beta).lines,
    ...sessionLines(now, [{ ...start, member: "forged" }, bodies.end], { ...beta, session: own.session as SessionId })
      .lines,
  ];
  for (const [team, lines] of Object.entries({ alpha: forged, beta: own.lines })) {
    mkdirSync(join(place.log, team), { recursive: true });
    writeFileSync(join(place.log, team, `${now.slice(0, 10)}.jsonl`), lines.join(""));
  }
  const { sessions } = JSON.parse((await top(place, "--json")).stdout.toString());
  expect(sessions).toMatchObject([{ team: "beta", member: "own", session: own.session }]);
});

test.each([[["--interval", "1 h 1"]], [["--interval", "10ms"]], [["--days", "0"]], [["x"]]])(
  "%j is a usage error",
  async (words) => {
    expect(await top(workplace(), ...words)).toMatchObject({ status: 64, stderr: expect.stringMatching(/^nixgate: /) });
  },
);

const canTerminal = spawnSync("script", ["--version"]).status === 0;

test.skipIf(!canTerminal).each([
  ["q", {}, true],
  ["\u0003", { NO_COLOR: "1" }, false],
])(
  "on a terminal it redraws in place until %j, and leaves the screen as it was (needs script)",
  async (key, environment, colour) => {
    const place = workplace();
    const stop = await threeSessions(place);
    const command = `stty cols 60 rows 5; exec ${NIXGATE} sessions top --interval 200ms --config-dir ${place.config}`;
    const child = spawn("script", ["-qefc", command, "/dev/null"], {
      env: { PATH: process.env["PATH"], TERM: "xterm", SHELL: "/bin/sh", ...environment },
      stdio: ["pipe", "pipe", "pipe"],
    });
    let seen = "";
    child.stdout.setEncoding("utf8").on("data", (text: string) => {
      seen += text;
    });
    const ended = new Promise((resolve) => child.once("close", resolve));
    await waitFor("some pages", () => seen.split("\u001b[H").length > 4);
    child.stdin.write(key);
    expect(await Promise.race([ended, sleep(5000)])).toBe(0);
    child.stdin.end();
    await stop();
    expect(seen.startsWith("\u001b[?1049h")).toBe(true);
    expect(seen.trimEnd().endsWith("\u001b[?25h\u001b[?1049l")).toBe(true);
    expect(seen.includes("\u001b[7m")).toBe(colour);
    const page = seen.split("\u001b[H")[2] as string;
    const rows = page
      .split("\u001b[J")[0]
      ?.replace(/\u001b\[(?:K|7m|0m)/g, "")
      .split(/\r+\n/) as string[];
    expect(rows).toHaveLength(5);
    expect(Math.max(...rows.map((row) => row.length))).toBe(60);
  },
);

test("the archive is read once, then only what was added; a line is given when it is whole", () => {
  const directory = temporaryFolder("growth");
  mkdirSync(join(directory, "alpha"));
  const path = (day: string) => join(directory, "alpha", `${day}.jsonl`);
  writeFileSync(path("2026-01-05"), "old\n");
  writeFileSync(path("2026-01-06"), "a\nb\nha");
  const growth = growthOf(openArchive(directory));
  const look = (since = "2026-01-06") =>
    [...growth.lines(since, ({ what }) => expect.fail(what))].map(({ text }) => text).filter((line) => line !== "");
  expect(look()).toEqual(["a", "b"]);
  expect(look()).toEqual([]);
  appendFileSync(path("2026-01-06"), "lf\nc\n");
  writeFileSync(path("2026-01-07"), "d\n");
  expect(look()).toEqual(["half", "c", "d"]);
  expect(look("2026-01-01")).toEqual(["old"]);
  const long = "x".repeat(3_000_000);
  appendFileSync(path("2026-01-07"), `${long}\ne\n`);
  expect(look().at(-1)).toBe("e");
  expect(readdirSync("/proc/self/fd").length).toBeLessThan(100);
});
