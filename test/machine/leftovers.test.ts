import { spawn } from "node:child_process";
import { existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import { children, processId, sleep } from "../../tools/machine/processes.ts";
import { clear, readState, runFolder, runningGuest } from "../../tools/machine/state.ts";

/** These start guests of their own, by the tool that people use. */
const CLI = join(import.meta.dirname, "../../tools/machine/cli.ts");
const name = `left-${process.pid}`;

const tool = (...words: string[]) =>
  spawn(process.execPath, [CLI, ...words], { env: { ...process.env, NAME: name }, stdio: "ignore" });

const status = (child: ReturnType<typeof tool>) => new Promise<number | null>((done) => child.on("exit", done));

/** Everything of a guest that is being started, once its kernel runs. */
async function kernelRuns(): Promise<number[]> {
  for (;;) {
    const holder = readState(name)?.holder.pid;
    const all = holder === undefined ? [] : tree(holder);
    if (all.some((pid) => existsSync(`/proc/${pid}`) && command(pid).includes("/linux\0"))) return all;
    await sleep(50);
  }
}

const tree = (pid: number): number[] => [pid, ...children(pid).flatMap(tree)];
const command = (pid: number) => readFileSync(`/proc/${pid}/cmdline`, "utf8");
const living = (pids: readonly number[]) => pids.filter((pid) => processId(pid) !== undefined);

afterEach(() => clear(name));

describe("nothing of a guest is left", () => {
  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 143],
  ] as const)("when its start is ended by %s", async (signal, expected) => {
    const start = tool("start");
    const pids = await kernelRuns();
    start.kill(signal);
    expect(await status(start)).toBe(expected);
    expect(living(pids)).toEqual([]);
    expect(existsSync(runFolder(name))).toBe(false);
  });

  test("by the next start, when its own was killed", async () => {
    const start = tool("start");
    const pids = await kernelRuns();
    start.kill("SIGKILL");
    await status(start);
    expect(await status(tool("start"))).toBe(0);
    expect(living(pids)).toEqual([]);
    expect(runningGuest(name)?.holder.pid).not.toBe(pids[0]);
    expect(await status(tool("stop"))).toBe(0);
    expect(existsSync(runFolder(name))).toBe(false);
  });

  test("when the program that it was started for is killed", async () => {
    const program = `
      const { startGuest } = await import(${JSON.stringify(join(import.meta.dirname, "../../tools/machine/guest.ts"))});
      const { settings } = await import(${JSON.stringify(join(import.meta.dirname, "../../tools/machine/settings.ts"))});
      await startGuest({ ...settings(process.env), outlives: false }, () => {});`;
    const owner = spawn(process.execPath, ["--input-type=module", "--eval", program], {
      env: { ...process.env, NAME: name },
      stdio: "ignore",
    });
    const pids = await kernelRuns();
    owner.kill("SIGKILL");
    await status(owner);
    await expect.poll(() => living(pids), { timeout: 5_000 }).toEqual([]);
  });
});

test("a second guest of the same name is refused, and the first lives on", async () => {
  expect(await status(tool("start"))).toBe(0);
  const first = runningGuest(name)?.holder;
  expect(await status(tool("start"))).toBe(69);
  expect(runningGuest(name)?.holder).toEqual(first);
});
