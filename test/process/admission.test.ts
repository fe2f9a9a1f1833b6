import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { describe, expect, onTestFinished, test } from "vitest";
import type { SessionRecord } from "../../src/record/schema.ts";
import { nixgate } from "../support/nixgate.ts";
import { processesWith } from "../support/processes.ts";
import { answerOf, session, startSession } from "../support/run-session.ts";
import { waitFor } from "../support/wait-for.ts";
import { type Workplace, workplace } from "../support/workplace.ts";

const LONG = 120_000;

/** A workplace where alpha's sessions have these rules. */
function ruled(rules: string): Workplace {
  const place = workplace();
  place.edit("policies/alpha.toml", /$/, `\n[session]\nread_timeout = "10min"\n${rules}\n`);
  return place;
}

/** Opens a line loop, which stays as long as its stdin. @returns "admitted", or the status it was turned away with */
async function knock(place: Workplace, team = "alpha") {
  const child = startSession(place, { team });
  child.stdin?.on("error", () => undefined).write("echo started\n");
  let said = "";
  child.stderr?.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const answer = await Promise.race([
    once(child.stdout as NonNullable<ChildProcess["stdout"]>, "data").then(() => "admitted" as const),
    once(child, "close").then(([status]) => status as number),
  ]);
  return { child, answer, said: () => said };
}

const knockTimes = (count: number, place: Workplace) => Promise.all(Array.from({ length: count }, () => knock(place)));

async function leave(children: readonly ChildProcess[]) {
  for (const child of children) child.stdin?.end();
  await Promise.all(children.map((child) => child.exitCode ?? once(child, "exit")));
}

async function killAll(children: readonly ChildProcess[]) {
  for (const child of children) child.kill("SIGKILL");
  await Promise.all(children.map((child) => child.signalCode ?? once(child, "exit")));
}

function count<T>(values: readonly T[]): ReadonlyMap<T, number> {
  const counts = new Map<T, number>();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

const noStrace = spawnSync("strace", ["true"]).status === 0 ? undefined : "needs strace";

const metrics = async ({ config }: Workplace) =>
  (await nixgate(["render", "prometheus", "--config-dir", config])).stdout.toString();

const refusals = (records: readonly SessionRecord[]) =>
  records.filter((record) => record.event === "session.refuse").map(({ reason }) => reason);
const children = (knocked: readonly { readonly child: ChildProcess }[]) => knocked.map(({ child }) => child);

const minute = () => Math.floor(Number.parseFloat(readFileSync("/proc/uptime", "latin1")) / 60);

/** Until a whole try lies within one minute of the host's time; on a slow machine the first may not. */
async function withinOneMinute<T>(attempt: () => Promise<T>): Promise<T> {
  for (;;) {
    const began = minute();
    const result = await attempt();
    if (minute() === began) return result;
  }
}

describe("a team's places", () => {
  test.each([1, 2, 3])(
    "of 50 starts in the same moment exactly 8 are admitted, and kill -9 frees their places at once (%i)",
    async () => {
      const place = ruled("max_concurrent = 8");
      const knocked = await knockTimes(50, place);
      expect(count(knocked.map(({ answer }) => answer))).toEqual(
        new Map<unknown, number>([
          [75, 42],
          ["admitted", 8],
        ]),
      );
      expect(count(refusals(place.records()))).toEqual(new Map([["team-busy", 42]]));

      await killAll(children(knocked.filter(({ answer }) => answer === "admitted")));
      const again = await knockTimes(8, place);
      expect(count(again.map(({ answer }) => answer))).toEqual(new Map([["admitted", 8]]));
      await leave(children(again));
    },
    LONG,
  );

  test("are free after kill -9, while a command ran that ignores SIGTERM", async () => {
    const place = ruled("max_concurrent = 1");
    const mark = `7311.${process.pid}`;
    place.allow("wait", ["/bin/sh", "-c", `trap '' TERM; sleep ${mark}; :`]);
    const first = startSession(place, { request: "wait" });
    await waitFor("the command", () => processesWith(`sleep ${mark}`).length > 1);
    await killAll([first]);
    const { answer, child } = await knock(place);
    expect(answer).toBe("admitted");
    await leave([child]);
  });

  test("are given to the next when a session ends", async () => {
    const place = ruled("max_concurrent = 1");
    place.allow("true", ["/bin/true"]);
    for (let turn = 0; turn < 3; turn += 1) expect((await session(place, { request: "true" })).status).toBe(0);
  });

  test("that are taken refuse with 75, one line for the user, and three records", async () => {
    const place = ruled("max_concurrent = 1");
    const { child } = await knock(place);
    const { status, stdout, stderr } = await session(place, { request: "nix-daemon --stdio" });
    expect({ status, stdout: stdout.length }).toEqual({ status: 75, stdout: 0 });
    expect(stderr).toMatch(
      /^nixgate: the one place of the team is taken; try again later \(session [0-9a-f-]{36}\)\n$/,
    );
    const id = /session ([0-9a-f-]{36})/.exec(stderr)?.[1];
    expect(place.records().filter((record) => record.session === id)).toMatchObject([
      { event: "session.start", seq: 0 },
      { event: "session.refuse", reason: "team-busy", message: "the one place of the team is taken; try again later" },
      { event: "session.end", exit: 75, commands: 0, denied: 0, cause: "exit" },
    ]);
    await leave([child]);
  });
});

describe("the starts of a minute", () => {
  test(
    "are counted exactly when 50 come in the same moment",
    async () => {
      const { place, statuses } = await withinOneMinute(async () => {
        const place = ruled("max_concurrent = 100\nmax_starts_per_minute = 20");
        place.allow("true", ["/bin/true"]);
        const starts = Array.from({ length: 50 }, () => session(place, { request: "true" }));
        return { place, statuses: (await Promise.all(starts)).map(({ status }) => status) };
      });
      expect(count(statuses)).toEqual(new Map([[0, 20]]).set(75, 30));
      // one a minute is on record, and those that come in the same moment as the first
      const onRecord = refusals(place.records());
      expect(new Set(onRecord)).toEqual(new Set(["rate"]));
      expect(onRecord.length).toBeLessThan(30);
    },
    LONG,
  );

  test("do not include those that found no place", async () => {
    const answers = await withinOneMinute(async () => {
      const place = ruled("max_concurrent = 1\nmax_starts_per_minute = 2");
      const first = await knock(place);
      const busy = [await knock(place), await knock(place), await knock(place)];
      await leave([first.child]);
      const second = await knock(place);
      await leave([second.child]);
      const third = await knock(place);
      const answers = [first, ...busy, second, third].map(({ answer }) => answer);
      return { answers, refused: refusals(place.records()) };
    });
    expect(answers).toEqual({
      answers: ["admitted", 75, 75, 75, "admitted", 75],
      refused: ["team-busy", "team-busy", "team-busy", "rate"],
    });
  }, 60_000);
});

describe("the host", () => {
  test.each([
    ["min_available_memory = 0", 'min_available_memory = "1000T"', "less than 1000T of memory"],
    ["max_load_per_cpu = 1e6", "max_load_per_cpu = 1e-9", "load is above 1e-9 per CPU"],
  ])("with %s made %s refuses with 75", async (before, after, words) => {
    const place = ruled("");
    place.edit("nixgate.toml", before, after);
    await waitFor("a load", () => (loadavg()[0] as number) > 0, 25_000);
    const { status, stderr } = await session(place, { request: "nix-daemon --stdio" });
    expect(status).toBe(75);
    expect(stderr).toContain(words);
    expect(place.records().slice(1)).toMatchObject([
      { event: "session.refuse", reason: "host-busy" },
      { event: "session.end", exit: 75 },
    ]);
  });

  test("with a full store refuses with 75, and the metrics name it", async () => {
    const place = ruled("");
    place.edit("nixgate.toml", "[admission]", '[admission]\nmin_free_store = "100%"');
    const { status, stderr } = await session(place, { request: "nix-daemon --stdio" });
    expect(status).toBe(75);
    expect(stderr).toContain("the file system of /nix/store has less than 100% of space left; try again later");
    expect(refusals(place.records())).toEqual(["store-full"]);
    expect(await metrics(place)).toContain('nixgate_sessions_refused_total{team="alpha",reason="store-full"} 1\n');
  });

  test("under pressure by tasks that wait for a CPU refuses with 75, and the metrics name it", async () => {
    const place = ruled("");
    place.edit("nixgate.toml", "[admission]", '[admission]\nmax_cpu_pressure = "1%"');
    const hasPressure = existsSync("/proc/pressure/cpu"); // without it the rule cannot be measured
    const reason = hasPressure ? "cpu-pressure" : "host-busy";
    const turns = Array.from({ length: cpus().length * 4 }, () => spawn("sh", ["-c", "while :; do :; done"]));
    onTestFinished(() => turns.forEach((turn) => void turn.kill("SIGKILL")));
    const pressure = () => /^some avg10=(\S+)/.exec(readFileSync("/proc/pressure/cpu", "latin1"))?.[1];
    if (hasPressure) await waitFor("pressure", () => Number(pressure()) > 20, LONG);
    const { status, stderr } = await session(place, { request: "nix-daemon --stdio" });
    expect(status).toBe(75);
    expect(stderr).toMatch(
      hasPressure
        ? /the host's cpu pressure is [\d.]+%, above 1%; try again later/
        : /the kernel does not tell the cpu pressure, which admission\.max_cpu_pressure needs/,
    );
    expect(refusals(place.records())).toEqual([reason]);
    expect(await metrics(place)).toContain(`nixgate_sessions_refused_total{team="alpha",reason="${reason}"} 1\n`);
  }, 180_000);

  test.skipIf(noStrace !== undefined)(
    "is asked for pressure and room only where a rule is set (needs strace)",
    async () => {
      const place = ruled("");
      place.allow("true", ["/bin/true"]);
      const trace = `${place.folder}/trace`;
      const asked = async () => {
        const through = ["strace", "-f", "-qq", "-e", "trace=%file", "-o", trace];
        const { status, stderr } = await session(place, { request: "true", through });
        const calls = readFileSync(trace, "utf8").matchAll(/ \w+\([^"\n]*"(\/proc\/pressure\/\w+|\/nix\/store)"/g);
        return { stderr, status, calls: [...calls].map(([, path]) => path) };
      };
      expect(await asked()).toEqual({ stderr: "", status: 0, calls: [] });
      place.edit("nixgate.toml", "[admission]", '[admission]\nmax_io_pressure = "100%"\nmin_free_store_inodes = 1');
      const store = existsSync("/proc/pressure/io") ? ["/nix/store"] : []; // an unknown pressure refuses before it
      expect((await asked()).calls).toEqual(["/proc/pressure/io", ...store]);
    },
    120_000,
  );

  test("has places for all teams together", async () => {
    const place = ruled("");
    place.edit("nixgate.toml", "[admission]", "[admission]\nmax_sessions = 1");
    const alpha = readFileSync(`${place.config}/policies/alpha.toml`, "utf8");
    writeFileSync(`${place.config}/policies/beta.toml`, alpha.replace('"alpha"', '"beta"'));
    const first = await knock(place);
    const second = await knock(place, "beta");
    expect([first.answer, second.answer]).toEqual(["admitted", 75]);
    expect(second.said()).toContain("the one place of the host is taken");
    expect(refusals(place.records("beta"))).toEqual(["host-busy"]);
    await leave([first.child]);
    const third = await knock(place, "beta");
    expect(third.answer).toBe("admitted");
    await leave([third.child]);
  });

  test("tells a full team before a full host", async () => {
    const place = ruled("max_concurrent = 1\nmax_starts_per_minute = 1");
    place.edit("nixgate.toml", "[admission]", "[admission]\nmax_sessions = 1");
    const { child } = await knock(place);
    expect((await answerOf(startSession(place, { request: "nix-daemon --stdio" }))).status).toBe(75);
    expect(refusals(place.records())).toEqual(["team-busy"]);
    await leave([child]);
  });
});
