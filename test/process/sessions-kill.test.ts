import { spawn } from "node:child_process";
import { once } from "node:events";
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { signalAs } from "../../src/system/accounts/signal-as.ts";
import { programForOthers } from "../support/for-others.ts";
import { nixgate } from "../support/nixgate.ts";
import { pidOf, processesWith } from "../support/processes.ts";
import { bodies, sessionLines } from "../support/records.ts";
import { answerOf, session, startSession } from "../support/run-session.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { waitFor } from "../support/wait-for.ts";
import { PROGRAMS, type Workplace, workplace } from "../support/workplace.ts";

const kill = (place: Workplace, ...words: string[]) =>
  nixgate(["sessions", "kill", ...words, "--config-dir", place.config]);

const idOf = (place: Workplace) =>
  waitFor("its start", () => {
    try {
      return place.records()[0]?.session;
    } catch {
      return undefined; // nothing is written yet
    }
  });

test("a running session is ended, with all that is in its scope, and the answer says how", async () => {
  const place = workplace();
  place.edit("policies/alpha.toml", /$/, '\n[session]\nstop_timeout = "1s"\n');
  place.allow("wait", [`${PROGRAMS}/ignore-sigterm.sh`]);
  const child = startSession(place, { request: "wait" });
  const ended = answerOf(child);
  const id = await idOf(place);
  await waitFor("the command", () => place.records().length === 2);
  const { status, stdout, stderr } = await kill(place, id.slice(-12));
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout.toString()).toMatch(new RegExp(`^${id}: ended with killed-by-admin, status 137, after `));
  expect(processesWith(`${PROGRAMS}/ignore-sigterm.sh`)).toEqual([]);
  expect((await ended).stderr).toContain("ended by the administrator");
  expect(place.records().slice(-2)).toMatchObject([{ cause: "killed-by-admin" }, { cause: "killed-by-admin" }]);
});

test("a session that waits for a line is ended at once", async () => {
  const place = workplace();
  const ended = answerOf(startSession(place, {}));
  const id = await idOf(place);
  const { status, stdout } = await kill(place, id, "--json");
  expect(status).toBe(0);
  expect(JSON.parse(stdout.toString())).toMatchObject({ session: id, end: { cause: "killed-by-admin", exit: 143 } });
  expect((await ended).status).toBe(143);
});

test("a session that cannot be ended is an error with a remedy", async () => {
  const place = workplace();
  place.allow("true", ["/bin/true"]);
  await session(place, { request: "true" });
  const id = await idOf(place);
  const start = { ...bodies.start, isolation: "process" } as const;
  const elsewhere = sessionLines("2026-01-05T03:12:00Z", [start], { host: "elsewhere" });
  const lost = sessionLines("2026-01-05T03:12:00Z", [start], { host: hostname() });
  writeFileSync(join(place.log, "alpha/2026-01-05.jsonl"), elsewhere.lines.concat(lost.lines).join(""));
  for (const [words, status, said, hint] of [
    [[id], 64, "has ended at", "sessions list --running"],
    [[elsewhere.session], 64, "runs on elsewhere", "on elsewhere"],
    [[lost.session], 64, "is lost", "nixgate recover"],
    [["019ab000-0000-7000-8000-000000000001"], 64, "no such session", "sessions list"],
    [[], 64, "takes one id", "sessions list --running"],
    [["0"], 64, "fits 3 sessions", "more of the id"],
  ] as const) {
    const answer = await kill(place, ...words);
    expect({ status: answer.status, stdout: answer.stdout.length }).toEqual({ status, stdout: 0 });
    expect(answer.stderr).toMatch(new RegExp(`^nixgate: .*${said}.*\nnixgate: .*${hint}`));
  }
});

test("a process that has only inherited the number is never signalled", async () => {
  const place = workplace();
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  // a stranger, and another session of nixgate that began long after the record
  const stranger = spawn("/bin/sleep", ["7501.5"]);
  const young = startSession(place, {});
  await idOf(place);
  const started = (pid: number, time: string) =>
    sessionLines(time, [{ ...bodies.start, pid }], { host: hostname(), boot });
  const first = started(stranger.pid as number, new Date().toISOString());
  const second = started(young.pid as number, "2026-01-05T03:12:00Z");
  writeFileSync(join(place.log, "alpha/2026-01-05.jsonl"), first.lines.concat(second.lines).join(""));
  for (const { session: id } of [first, second]) {
    const { status, stderr } = await kill(place, id);
    expect({ status, stderr }).toEqual({ status: 64, stderr: expect.stringContaining("is lost") });
  }
  expect(stranger.exitCode ?? stranger.signalCode).toBe(null);
  expect(young.exitCode ?? young.signalCode).toBe(null);
  stranger.kill("SIGKILL");
  young.kill("SIGKILL");
});

test.skipIf(process.geteuid?.() !== 0)("another account may not (needs root)", async () => {
  const place = workplace();
  const child = startSession(place, {});
  const id = await idOf(place);
  const team = join(place.log, "alpha");
  for (const path of [place.folder, place.log, team]) chmodSync(path, 0o755);
  for (const file of readdirSync(team)) chmodSync(join(team, file), 0o644);
  const { node, bundle } = programForOthers();
  const words = [bundle, "sessions", "kill", id, "--config-dir", place.config];
  const other = spawn(node, words, { uid: 65534, gid: 65534, cwd: "/", stdio: ["ignore", "pipe", "pipe"] });
  const { status, stderr } = await answerOf(other);
  expect({ status, stderr }).toEqual({ status: 77, stderr: expect.stringContaining("run it as root or as root") });
  expect(child.exitCode ?? child.signalCode).toBe(null);
  child.kill("SIGKILL");
});

const ALPHA = 65_534;
const BETA = 65_533;

/** A process that looks like a session of nixgate's, of any account. */
async function pretender(uid: number, word = "session") {
  const folder = temporaryFolder("pretender");
  chmodSync(folder, 0o755);
  const program = join(folder, "nixgate.cjs");
  writeFileSync(program, 'console.log("there"); setTimeout(() => {}, 60_000);');
  const { node } = programForOthers();
  const child = spawn(node, [program, word], { uid, gid: uid, cwd: "/", stdio: ["ignore", "pipe", "ignore"] });
  await once(child.stdout, "data");
  return child;
}

/** A record in alpha's own folder that names a process. */
function forged(place: Workplace, pid: number | undefined, isolation: "process" | "scope-system" = "process") {
  const boot = readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  const start = { ...bodies.start, pid: Number(pid), isolation };
  const { lines, session: id } = sessionLines(new Date().toISOString(), [start], { host: hostname(), boot });
  const folder = join(place.log, "alpha");
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${new Date().toISOString().slice(0, 10)}.jsonl`), lines.join(""));
  chownSync(folder, ALPHA, ALPHA);
  return id;
}

describe.skipIf(process.geteuid?.() !== 0)("a record that an account wrote (needs root)", () => {
  test.each([
    ["another account's session", BETA, "session"],
    ["root's session", 0, "session"],
    ["the supervisor", 0, "supervise"],
    ["a supervisor of its own", ALPHA, "supervise"],
  ])("does not have %s ended", async (_, uid, word) => {
    const place = workplace();
    const victim = await pretender(uid, word);
    const { status, stderr } = await kill(place, forged(place, victim.pid));
    expect(stderr).toMatch(
      /process \d+ does not belong to the owner of the records of alpha \(uid 65534\): not signalled/,
    );
    expect(status).toBe(64);
    const all = await kill(place, "--team", "alpha", "--yes");
    expect(all).toMatchObject({ status: 69, stderr: expect.stringContaining("is not one that may be signalled") });
    expect(victim.signalCode ?? victim.exitCode).toBe(null);
    victim.kill("SIGKILL");
  });

  test("with the id of another team's session does not take its place", async () => {
    const place = workplace();
    const id = forged(place, 4_194_305);
    mkdirSync(join(place.log, "beta"));
    const file = `${new Date().toISOString().slice(0, 10)}.jsonl`;
    const theirs = readFileSync(join(place.log, "alpha", file), "utf8").replaceAll("alpha", "beta");
    writeFileSync(join(place.log, "beta", file), theirs);
    for (const part of [id, id.slice(-12)]) {
      const { status, stderr } = await kill(place, part);
      expect({ status, stderr }).toEqual({ status: 64, stderr: expect.stringContaining(`alpha/${id}, beta/${id}`) });
      expect(stderr).toContain("TEAM/ID");
    }
    expect((await kill(place, `beta/${id}`)).stderr).toContain("is lost");
    const shown = await nixgate(["sessions", "show", `beta/${id.slice(-12)}`, "--config-dir", place.config]);
    expect(shown.stdout.toString()).toContain(`session ${id}\nteam beta`);
  });

  test("has its own session ended", async () => {
    const place = workplace();
    const own = await pretender(ALPHA);
    const id = forged(place, own.pid);
    const ended = once(own, "close");
    expect((await kill(place, id)).stderr).toContain("is lost");
    expect(await ended).toEqual([null, "SIGTERM"]);
  });

  test("ends nothing where the number has become another account's after the look", async () => {
    const victim = await pretender(BETA);
    expect(() => signalAs(ALPHA, pidOf(victim))).toThrow(expect.objectContaining({ code: "EPERM" }));
    expect(victim.signalCode ?? victim.exitCode).toBe(null);
    const ended = once(victim, "close");
    signalAs(BETA, pidOf(victim));
    expect(await ended).toEqual([null, "SIGTERM"]);
  });
});
