import { execFileSync, spawn } from "node:child_process";
import { readlinkSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { shimProcessOf } from "../../src/supervisor/shim/shim-process.ts";
import { tellThrough } from "../../src/supervisor/shim/shim-stderr.ts";
import { guardStreams, holdStreams } from "../../src/supervisor/shim/shim-streams.ts";
import { toPid } from "../../src/units/ids.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { waitFor } from "../support/wait-for.ts";

const uid = process.getuid?.() ?? 0;

/** A process that looks like a shim, on pipes as sshd makes them, after it has run some Python of its account's. */
const shim = (program: string, ...words: string[]) => shimOf(uid, program, ...words);

async function shimOf(account: number, program: string, ...words: string[]) {
  const folder = temporaryFolder("streams");
  const path = join(folder, "nixgate-shim");
  writeFileSync(
    path,
    `import fcntl, os, sys, threading, time\nos.dup2(2, 3)\n${program}\nprint("ready", os.getpid(), file=sys.stderr, flush=True)\ntime.sleep(60)\n`,
  );
  const shell = 'exec 4>&2; sleep 60 | (exec "$@" 2>&1 >/dev/null) | cat >&4';
  const child = spawn("sh", ["-c", shell, "sh", "python3", path, "alpha", ...words], {
    stdio: ["ignore", "inherit", "pipe"],
    detached: true,
  });
  onTestFinished(() => void process.kill(-(child.pid as number), "SIGKILL"));
  let said = "";
  child.stderr?.on("data", (data) => {
    said += data;
  });
  const pid = toPid(Number(await waitFor("the process", () => /ready (\d+)/.exec(said)?.[1])));
  const found = await shimProcessOf(pid, "alpha", account);
  if (typeof found === "string") throw new Error(found);
  onTestFinished(found.close);
  return found;
}

/** A FIFO that the account could not open as that stream. */
function fifo() {
  const path = join(temporaryFolder("foreign"), "requests");
  execFileSync("mkfifo", [path]);
  return path;
}

describe("the streams of a confined command", () => {
  test("are the shim's own pipes, and this host's /dev/null", async () => {
    const held = holdStreams(await shim("os.dup2(os.open('/dev/null', os.O_WRONLY), 1)"), uid);
    onTestFinished(held.close);
    expect(held.paths[1]).toBe("/dev/null");
    for (const path of [held.paths[0], held.paths[2]]) expect(readlinkSync(path)).toMatch(/^pipe:/);
  });

  test.each([
    ["a FIFO that is only held (O_PATH)", "os.dup2(os.open(sys.argv[2], 0o10000000), 0)"],
    ["a FIFO that is open", "os.dup2(os.open(sys.argv[2], os.O_RDWR), 0)"],
    ["a file", "os.dup2(os.open('/etc/hostname', os.O_RDONLY), 0)"],
    ["a device", "os.dup2(os.open('/dev/zero', os.O_RDONLY), 0)"],
    ["a socket", "import socket; s = socket.socketpair(); os.dup2(s[0].fileno(), 0)"],
  ])("are not %s", async (_, program) => {
    const found = await shim(program, fifo());
    expect(() => holdStreams(found, uid)).toThrow("stream 0 is not a pipe made by sshd");
  });

  test("are not a pipe of another account's", async () => {
    const found = await shim("os.geteuid() or os.fchown(0, 4711, 0)");
    expect(() => holdStreams(found, uid + 1)).toThrow("stream 0 is not a pipe made by sshd");
  });

  test.each([
    ["only held", "os.dup2(os.open('/proc/self/fd/0', 0o10000000), 0)"],
    ["open in the other direction", "r, w = os.pipe(); os.dup2(w, 0)"],
  ])("are not a pipe that the shim has %s: root would open it with more rights", async (_, program) => {
    const found = await shim(program);
    expect(() => holdStreams(found, uid)).toThrow("stream 0 is not a pipe made by sshd");
  });

  test.runIf(uid === 0)(
    "become root's, so that nothing else of the account can open them, and go on working",
    async () => {
      const account = 4711;
      const drop = `os.setgroups([]); os.fchown(0, ${account}, 0); os.fchown(3, ${account}, 0); os.setresuid(${account}, ${account}, ${account})`;
      const found = await shimOf(account, drop);
      const owners = () => [0, 3].map((stream) => statSync(`/proc/${found.pid}/fd/${stream}`).uid);
      expect(owners()).toEqual([account, account]);
      guardStreams(found, account);
      expect(owners()).toEqual([0, 0]);
      expect(tellThrough(found, { uid: account, gid: account }, "still heard")).toBe(true);
      const held = holdStreams(found, account);
      onTestFinished(held.close);
      for (const path of [held.paths[0], held.paths[2]]) expect(readlinkSync(path)).toMatch(/^pipe:/);
    },
  );

  test("stay whose they are where they are no pipe of the account's", async () => {
    const found = await shim("os.dup2(os.open(sys.argv[2], os.O_RDWR), 0)", fifo());
    const owner = () => [0, 3].map((stream) => statSync(`/proc/${found.pid}/fd/${stream}`).uid);
    const before = owner();
    guardStreams(found, uid + 1);
    expect(owner()).toEqual(before);
  });

  test("lead nowhere else, however fast a thread exchanges them", async () => {
    const target = fifo();
    const exchange = `target = os.open(sys.argv[2], 0o10000000)
own = os.dup(0)
def run():
  while True:
    os.dup2(target, 0); os.dup2(own, 0)
for _ in range(2): threading.Thread(target=run, daemon=True).start()`;
    const found = await shim(exchange, target);
    const foreign = statSync(target);
    let passed = 0;
    let refused = 0;
    for (const began = performance.now(); performance.now() - began < 3000; )
      try {
        const held = holdStreams(found, uid);
        passed += 1;
        const { dev, ino } = statSync(held.paths[0]);
        held.close();
        expect({ dev, ino }).not.toEqual({ dev: foreign.dev, ino: foreign.ino });
      } catch (error) {
        if (!/not a pipe made by sshd/.test(String(error))) throw error;
        refused += 1;
      }
    // both were there to be held
    expect(passed).toBeGreaterThan(10);
    expect(refused).toBeGreaterThan(10);
  });
});
