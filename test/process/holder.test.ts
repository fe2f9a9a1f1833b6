import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { expect, test } from "vitest";
import { processesWith } from "../support/processes.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { waitFor } from "../support/wait-for.ts";

const SHELLS = ["/bin/sh", "/bin/bash"];
type Held = Awaited<ReturnType<typeof held>>;

/** bin/nixgate-holder as launch.ts starts it, with a command that leaves a file, and what it says until it is ready. */
async function held(shell: string) {
  const mark = join(temporaryFolder("holder"), "began");
  const child = spawn(shell, ["bin/nixgate-holder", "process", "/bin/sh", "-c", 'echo >"$0"; exit 7', mark], {
    stdio: ["ignore", "ignore", "pipe", "inherit"],
    detached: true,
  });
  const channel = child.stdio[2] as unknown as Duplex;
  channel.on("error", () => undefined);
  let said = "";
  channel.on("data", (bytes: Buffer) => {
    said += bytes;
  });
  const exited = new Promise<number | string | null>((resolve) =>
    child.once("exit", (code, signal) => resolve(signal ?? code)),
  );
  await waitFor("ready", () => said.endsWith("\n"));
  const [, command, holder] = /^ready (\d+) (\d+)\n$/.exec(said) ?? [];
  expect(Number(command)).toBe(child.pid);
  // a zombie, which init has not looked for yet, has no command line
  const isThere = () => processesWith("nixgate-holder").includes(Number(holder));
  return { channel, exited, holder: Number(holder), isThere, began: () => existsSync(mark), said: () => said };
}

test.each(SHELLS)("by %s the command begins at its word, and its holder goes at the next", async (shell) => {
  const { channel, exited, isThere, began, said } = await held(shell);
  expect(began()).toBe(false);
  channel.write("go\n");
  expect(await exited).toBe(7);
  expect(began()).toBe(true);
  expect(isThere()).toBe(true); // the cgroup would be gone with it, and its counters
  channel.write("done\n");
  await waitFor("its last word", () => said().endsWith("\ngone\n"));
  await waitFor("its going", () => !isThere());
});

test.each([
  ["is let go", ({ channel }: Held) => void channel.write("done\n"), 69],
  ["is killed", ({ holder }: Held) => void process.kill(holder, "SIGKILL"), 69],
  ["loses nixgate", ({ channel }: Held) => void channel.destroy(), "SIGKILL"],
])("no command begins whose holder %s before", async (_, happen, how) => {
  for (const shell of SHELLS) {
    const one = await held(shell);
    happen(one);
    expect(await one.exited).toBe(how);
    await waitFor("nothing left", () => !one.isThere());
    expect(one.began()).toBe(false);
  }
});
