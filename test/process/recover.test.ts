import { spawn } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  closeSync,
  linkSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { programForOthers } from "../support/for-others.ts";
import { nixgate } from "../support/nixgate.ts";
import { processesWith } from "../support/processes.ts";
import { BOOT, bodies, sessionLines } from "../support/records.ts";
import { answerOf, session, startSession } from "../support/run-session.ts";
import { waitFor } from "../support/wait-for.ts";
import { type Workplace, workplace } from "../support/workplace.ts";

const recover = (place: Workplace, ...more: string[]) => nixgate(["recover", "--config-dir", place.config, ...more]);
const verify = (place: Workplace) => nixgate(["sessions", "verify", "--config-dir", place.config]);
const events = (place: Workplace) => place.records().map(({ event }) => event);
const dayFile = (place: Workplace) => join(place.log, "alpha", readdirSync(join(place.log, "alpha"))[0] as string);

/** A session killed while it waits for a line, has a command running, or has had one. */
const PHASES = {
  loop: { input: "", seen: ["session.start"] },
  running: { input: "wait\n", seen: ["session.start", "command.start"] },
  afterwards: { input: "echo\n", seen: ["session.start", "command.start", "command.end"] },
} as const;

async function killed(place: Workplace, phase: keyof typeof PHASES): Promise<void> {
  const { input, seen } = PHASES[phase];
  const before = recordsSoFar(place);
  const child = startSession(place, {});
  child.stdin?.on("error", () => undefined).write(input);
  await waitFor(phase, () => recordsSoFar(place) === before + seen.length);
  child.kill("SIGKILL");
  await answerOf(child);
}

function recordsSoFar(place: Workplace): number {
  try {
    return place.records().length;
  } catch {
    return 0; // nothing is written yet
  }
}

function place(): Workplace {
  const made = workplace();
  made.edit("policies/alpha.toml", /$/, '\n[session]\nstop_timeout = "1s"\n');
  made.allow("wait", ["/bin/sleep", "7401.5"]);
  made.allow("echo", ["/bin/sh", "-c", "echo hello; exec sleep 0.6"]);
  return made;
}

describe("the records of a session whose nixgate was killed", () => {
  test.each([
    ["loop", ["session.end"], 0],
    ["running", ["command.end", "session.end"], 1],
    ["afterwards", ["session.end"], 0],
  ] as const)("in phase %s are ended by recover, and verify is silent", async (phase, added, open) => {
    const own = place();
    await killed(own, phase);
    expect((await verify(own)).status).toBe(65);
    const { status, stdout, stderr } = await recover(own);
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    expect(stdout.toString()).toMatch(
      new RegExp(`^[0-9a-f-]{36}  team alpha, since .*: ended on record, ${open} commands? without an end\\n$`),
    );
    expect(events(own).slice(PHASES[phase].seen.length)).toEqual(added);
    const commands = events(own).filter((event) => event === "command.start").length;
    expect(own.records().at(-1)).toMatchObject({ cause: "supervisor-lost", exit: 137, commands, denied: 0 });
    const { status: verified, stdout: words } = await verify(own);
    expect({ verified, words: words.toString() }).toEqual({
      verified: 0,
      words: expect.stringContaining("nothing found"),
    });
    await waitFor("no command left", () => processesWith("sleep 7401.5").length === 0, 5000);
  });

  test("are ended once, however many recover at once", async () => {
    const own = place();
    await killed(own, "running");
    await killed(own, "loop");
    const lock = await lockOf(dayFile(own));
    const answers = Array.from({ length: 3 }, () => recover(own, "--json"));
    // all of them have seen the two sessions without an end, and wait for the file
    await waitFor("all of them", () => waitingFor(dayFile(own)) === 3);
    closeSync(lock);
    const all = (await Promise.all(answers)).flatMap(({ stdout }) => JSON.parse(stdout.toString()).recovered);
    expect(all.map(({ commands }) => commands).sort()).toEqual([0, 1]);
    expect(events(own).filter((event) => event === "session.end")).toHaveLength(2);
    expect((await verify(own)).status).toBe(0);
  });

  test("are ended by the team's next session, which does not wait for it", async () => {
    const own = place();
    await killed(own, "running");
    const { status, stdout } = await session(own, { request: "echo" });
    expect({ status, words: stdout.toString() }).toEqual({ status: 0, words: "hello\n" });
    expect(events(own).filter((event) => event === "session.end")).toHaveLength(2);
    expect(own.records().filter((record) => "cause" in record && record.cause === "supervisor-lost")).toHaveLength(2);
    expect((await verify(own)).status).toBe(0);
  });

  test("of an earlier boot are ended, those of another host are left alone", async () => {
    const own = workplace();
    mkdirSync(join(own.log, "alpha"));
    const start = { ...bodies.start, pid: process.pid };
    const rebooted = sessionLines("2026-01-05T03:12:00Z", [start, bodies.run], { host: hostname(), boot: BOOT });
    const elsewhere = sessionLines("2026-01-05T03:12:00Z", [start], { host: "elsewhere" });
    writeFileSync(join(own.log, "alpha/2026-01-05.jsonl"), rebooted.lines.concat(elsewhere.lines).join(""));
    const { stdout } = await recover(own, "--json");
    expect(JSON.parse(stdout.toString()).recovered).toMatchObject([{ session: rebooted.session, commands: 1 }]);
    expect(readdirSync(join(own.log, "alpha"))).toEqual(["2026-01-05.jsonl"]);
    expect((await verify(own)).status).toBe(0);
  });
});

describe("recover leaves alone", () => {
  test("sessions that run, in each phase", async () => {
    const own = place();
    const loop = startSession(own, {});
    const running = startSession(own, { request: "wait" });
    await waitFor("both", () => recordsSoFar(own) === 3);
    expect((await recover(own)).stdout.toString()).toBe("nothing to recover\n");
    expect(events(own)).not.toContain("session.end");
    loop.kill("SIGTERM");
    running.kill("SIGTERM");
    await Promise.all([answerOf(loop), answerOf(running)]);
    expect((await verify(own)).status).toBe(0);
  });

  test("a running session whose clock was set forward since: its age is no evidence", async () => {
    const own = place();
    const loop = startSession(own, {});
    await waitFor("its start", () => recordsSoFar(own) === 1);
    // the same line ten minutes older, in a file of its own: the process looks younger than its record
    const [line] = readFileSync(dayFile(own), "utf8").split("\n") as [string];
    const older = new Date(Date.parse(JSON.parse(line).time) - 600_000).toISOString();
    writeFileSync(dayFile(own), `${line.replace(/"time":"[^"]*"/, `"time":"${older}"`)}\n`);
    expect((await recover(own)).stdout.toString()).toBe("nothing to recover\n");
    loop.kill("SIGTERM");
    await answerOf(loop);
  });

  test("torn lines and what else is no record, and ends what stands beside them", async () => {
    const own = place();
    await killed(own, "loop");
    appendFileSync(dayFile(own), '{"v":1,"time":"2026');
    await recover(own);
    const lines = readFileSync(dayFile(own), "utf8").trimEnd().split("\n");
    expect(lines[1]).toBe('{"v":1,"time":"2026');
    expect(JSON.parse(lines[2] as string)).toMatchObject({ event: "session.end", seq: 1 });
  });
});

const asRoot = process.geteuid?.() === 0;

describe.skipIf(!asRoot)("root (needs root)", () => {
  /** The team's folder and file as if the account 65534 had written them. */
  async function ofAnAccount(): Promise<Workplace> {
    const own = place();
    await killed(own, "loop");
    for (const path of [own.folder, own.log]) chmodSync(path, 0o755);
    for (const path of [join(own.log, "alpha"), dayFile(own)]) chownSync(path, 65534, 65534);
    return own;
  }

  test("ends an account's records, and the file stays the account's", async () => {
    const own = await ofAnAccount();
    expect((await recover(own)).stdout.toString()).toContain("ended on record");
    expect(statSync(dayFile(own))).toMatchObject({ uid: 65534, gid: 65534 });
    expect(events(own)).toEqual(["session.start", "session.end"]);
  });

  test.each(["symlink", "link"] as const)(
    "is not led by a %s to a file that the account could not write",
    async (kind) => {
      const own = await ofAnAccount();
      const [path, aside] = [dayFile(own), join(own.folder, "roots-own")];
      renameSync(path, aside);
      chownSync(aside, 0, 0);
      if (kind === "symlink") symlinkSync(aside, path);
      else linkSync(aside, path);
      const before = readFileSync(aside, "utf8");
      await recover(own);
      expect(readFileSync(aside, "utf8")).toBe(before);
    },
  );

  test("is not led to root's own file with one name in the account's folder", async () => {
    const own = await ofAnAccount();
    chownSync(dayFile(own), 0, 0);
    const { status, stderr } = await recover(own);
    expect({ status, stderr }).toEqual({ status: 74, stderr: expect.stringContaining("EACCES") });
    expect(events(own)).toEqual(["session.start"]);
  });

  test("an account ends its own team's records and no other's", async () => {
    const own = await ofAnAccount();
    chmodSync(own.config, 0o755);
    mkdirSync(join(own.log, "beta"));
    // whoever reads the records need not be one who may end them
    chmodSync(join(own.log, "alpha"), 0o755);
    chmodSync(dayFile(own), 0o644);
    const account = { uid: 65533, gid: 65533, cwd: "/" };
    const { node, bundle } = programForOthers();
    const asAccount = (uid: number) =>
      answerOf(
        spawn(node, [bundle, "recover", "--config-dir", own.config], {
          ...account,
          uid,
          stdio: ["ignore", "pipe", "pipe"],
        }),
      );
    const stranger = await asAccount(65533);
    expect({ ...stranger, stdout: stranger.stdout.toString() }).toEqual({
      status: 0,
      stdout: "nothing to recover\n",
      stderr: "",
    });
    expect((await asAccount(65534)).stdout.toString()).toContain("ended on record");
    expect(events(own)).toEqual(["session.start", "session.end"]);
  });
});

test("a lock that is held is waited for, and said when it stays", async () => {
  const own = place();
  await killed(own, "loop");
  await lockOf(dayFile(own));
  const { status, stderr } = await recover(own);
  expect({ status, stderr }).toEqual({ status: 74, stderr: expect.stringContaining("holds its lock") });
  expect(events(own)).toEqual(["session.start"]);
});

test("an account that holds many locks delays the run once, and files of days after tomorrow are passed over", async () => {
  const own = workplace();
  const put = (team: string, day: string) => {
    const path = join(own.log, `${team}/${day}.jsonl`);
    mkdirSync(join(own.log, team), { recursive: true });
    const { lines } = sessionLines(`${day}T03:12:00Z`, [{ ...bodies.start, pid: process.pid }], {
      ...{ team, host: hostname(), boot: BOOT },
    });
    writeFileSync(path, lines.join(""));
    return path;
  };
  for (const day of ["2026-01-06", "2026-01-07", "2026-01-08"]) await lockOf(put("alpha", day));
  put("alpha", "2999-01-01");
  put("beta", "2026-01-05");
  const before = performance.now();
  const { status, stdout, stderr } = await recover(own, "--json");
  expect(performance.now() - before).toBeLessThan(19_000);
  expect(JSON.parse(stdout.toString()).recovered).toMatchObject([{ team: "beta" }]);
  expect(stderr.match(/holds its lock/g)).toHaveLength(3);
  expect(stderr).toContain("1 file of team alpha left out: dated after tomorrow\n");
  expect(status).toBe(74);
}, 30_000);

/** An open file that holds the lock on it: the lock stays when flock(1) has gone. */
async function lockOf(path: string): Promise<number> {
  const file = openSync(path, "r");
  await answerOf(spawn("flock", ["--exclusive", "3"], { stdio: ["ignore", "ignore", "ignore", file] }));
  return file;
}

/** How many wait for the lock on a file. */
const waitingFor = (path: string) =>
  processesWith("flock --exclusive --wait").filter((pid) => {
    try {
      return readlinkSync(`/proc/${pid}/fd/3`) === path;
    } catch {
      return false; // it has gone
    }
  }).length;
