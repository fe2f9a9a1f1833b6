import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { copyFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { strangerOf } from "../../src/supervisor/dispatch.ts";
import { openShimChannel } from "../../src/supervisor/shim/shim-channel.ts";
import { type ShimProcess, shimProcessOf } from "../../src/supervisor/shim/shim-process.ts";
import { toFd, toPid } from "../../src/units/ids.ts";
import { pidOf } from "../support/processes.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { waitFor } from "../support/wait-for.ts";

const uid = process.getuid?.() ?? 0;
const STOPPED = "test/fixtures/programs/stopped.sh";
const RUNNING = "test/fixtures/programs/running.sh";

/** A process that looks like a shim of team alpha's, and the conversation with it. */
async function shim(program: string, interpreter = "/bin/sh") {
  const path = join(temporaryFolder("shim"), "nixgate-shim");
  copyFileSync(program, path);
  const child: ChildProcess = spawn(interpreter, [path, "alpha"], { stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  const found = await waitFor("the shim", async () => {
    const seen = await shimProcessOf(pidOf(child), "alpha", uid);
    return typeof seen === "string" ? undefined : seen;
  });
  return { child, found, answers: temporaryFolder("answers") };
}
const FIRST = { number: 1, status: undefined };

test.each(["before it is asked for", "while it is waited for"])(
  "a shim that is killed %s ends the waiting for its next line",
  async (when) => {
    const { child, found, answers } = await shim(STOPPED);
    const talk = openShimChannel(found, answers, FIRST);
    expect(await talk.still()).toBe(true);
    if (when.startsWith("before")) child.kill("SIGKILL");
    const asked = talk.asked();
    if (when.startsWith("while")) setTimeout(() => child.kill("SIGKILL"), 100);
    expect(await asked).toBeUndefined();
    await talk.end();
  },
);

test("a killed shim whose parent never reaps it counts as ended", async () => {
  const path = join(temporaryFolder("shim"), "nixgate-shim");
  copyFileSync(STOPPED, path);
  const program = `$| = 1; my $pid = fork; if (!$pid) { exec "/bin/sh", @ARGV, "alpha" } print "$pid\\n"; sleep 60`;
  const parent = spawn("perl", ["-e", program, path], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void parent.kill("SIGKILL"));
  const pid = toPid(Number(await new Promise((resolve) => parent.stdout.once("data", resolve))));
  const seen = await waitFor("the shim", async () => {
    const found = await shimProcessOf(pid, "alpha", uid);
    return typeof found === "string" ? undefined : found;
  });
  const talk = openShimChannel(seen, temporaryFolder("answers"), FIRST);
  const asked = talk.asked();
  process.kill(pid, "SIGKILL");
  expect(await asked).toBeUndefined();
  expect(seen.isThere()).toBe(true);
  await talk.end(); // and is not waited for
});

test("a shim that never asks again is waited for as long as was said", async () => {
  const { found, answers } = await shim(STOPPED);
  const talk = openShimChannel(found, answers, FIRST);
  const began = performance.now();
  expect(await talk.asked(300)).toBeUndefined();
  expect(performance.now() - began).toBeLessThan(5000);
  found.signal("SIGKILL");
  await talk.end();
});

/** Shows how often the shim's state has been read. */
function counted(found: ShimProcess) {
  const counts = { looks: 0 };
  const state = () => {
    counts.looks += 1;
    return found.state();
  };
  return { counts, shim: { ...found, state } };
}

test("a shim that never stands still is looked at less and less often", async () => {
  const { found, answers } = await shim(RUNNING);
  const { counts, shim: seen } = counted(found);
  const talk = openShimChannel(seen, answers, FIRST);
  const still = talk.still();
  await new Promise((resolve) => setTimeout(resolve, 1000));
  expect(counts.looks).toBeGreaterThan(5);
  expect(counts.looks).toBeLessThan(25);
  found.signal("SIGKILL");
  expect(await still).toBe(false);
  await talk.end();
});

test("a shim that repeats its line all the time, since another process continues it, is looked at no more often", async () => {
  const { found, answers } = await shim(RUNNING);
  const { counts, shim: seen } = counted(found);
  const talk = openShimChannel(seen, answers, FIRST);
  const answered = talk.answer(() => "");
  for (let n = 0; n < 100; n += 1) {
    talk.take(FIRST);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
  expect(counts.looks).toBeGreaterThan(5);
  expect(counts.looks).toBeLessThan(25);
  talk.take({ number: 2, status: 0 }); // it went on by itself
  await answered;
  found.signal("SIGKILL");
  await talk.end();
});

test("a line about a shim that has no answer yet does not end its command, nor does one with a later number", async () => {
  const { found, answers } = await shim(STOPPED);
  const talk = openShimChannel(found, answers, FIRST);
  talk.take({ number: 2, status: 0 });
  expect(await talk.asked(50)).toBeUndefined();
  await talk.answer(() => "");
  for (const number of [0, 1, 3, 999_999]) talk.take({ number, status: 0 });
  expect(await talk.asked(50)).toBeUndefined();
  talk.take({ number: 2, status: 7 });
  expect(await talk.asked(50)).toEqual({ number: 2, status: 7 });
  talk.take({ number: 3, status: 0 }); // its second answer does not exist yet
  expect(await talk.asked(50)).toBeUndefined();
  found.signal("SIGKILL");
  await talk.end();
});

test("a line that tells of the end of a command is believed once the shim's child has ended, and then the last such line", async () => {
  const { child, found, answers } = await shim("test/fixtures/programs/commanding.sh");
  const { pid } = child;
  await waitFor("its command", () => found.hasChild());
  const talk = openShimChannel(found, answers, FIRST);
  void talk.answer(() => "");
  talk.take({ number: 2, status: 0 }); // another process of the account has written it
  expect(await talk.asked(600)).toBeUndefined();
  talk.take({ number: 2, status: 7 });
  expect(spawnSync("pkill", ["-KILL", "-P", String(pid)]).status).toBe(0);
  expect(await talk.asked(5000)).toEqual({ number: 2, status: 7 });
  found.signal("SIGKILL");
  await talk.end();
});

test("a shim of another supervisor continues with its own number, and then in order", async () => {
  const { found, answers } = await shim(STOPPED);
  const talk = openShimChannel(found, answers, undefined);
  talk.take({ number: 7, status: 3 });
  expect(await talk.asked(50)).toEqual({ number: 7, status: 3 });
  talk.take({ number: 8, status: 0 });
  expect(await talk.asked(50)).toBeUndefined();
  found.signal("SIGKILL");
  await talk.end();
});

test.each([0, 2, 3])("a shim that nobody answered is not served for a line that asks for answer %d", async (number) => {
  const { child, found } = await shim(STOPPED);
  const fifo = { name: "alpha", descriptor: toFd(-1), uid, gid: uid };
  const pid = pidOf(child);
  expect(await strangerOf({ pid, number }, fifo)).toBe(`it has had no answer yet, and asks for answer ${number}`);
  const itself = await strangerOf({ pid, number: 1 }, fifo);
  expect(itself).toMatchObject({ pid });
  if (typeof itself !== "string") itself.close();
  found.close();
});
