import { execFileSync, spawn } from "node:child_process";
import { readlinkSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, onTestFinished, test } from "vitest";
import { shimProcessOf } from "../../src/supervisor/shim/shim-process.ts";
import { holdStreams } from "../../src/supervisor/shim/shim-streams.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { waitFor } from "../support/wait-for.ts";

const uid = process.getuid?.() ?? 0;

/** A process that looks like a shim, on pipes as sshd makes them, after it has run some Python of its account's. */
async function shim(program: string, ...words: string[]) {
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
  const pid = Number(await waitFor("the process", () => /ready (\d+)/.exec(said)?.[1]));
  const found = shimProcessOf(pid, "alpha", uid);
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
    expect(() => holdStreams(found, uid)).toThrow("stream 0 is no pipe of sshd's");
  });

  test("are not a pipe of another account's", async () => {
    const found = await shim("pass");
    expect(() => holdStreams(found, uid + 1)).toThrow("stream 0 is no pipe of sshd's");
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
        if (!/no pipe of sshd/.test(String(error))) throw error;
        refused += 1;
      }
    // both were there to be held
    expect(passed).toBeGreaterThan(10);
    expect(refused).toBeGreaterThan(10);
  });
});
