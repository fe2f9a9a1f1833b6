import { expect } from "vitest";
import { isServeAnswer, serveHello } from "../support/nix-protocol.ts";
import { awaitNothing, program, setRunTime, test } from "./hostile.ts";
import { allow } from "./policies.ts";
import type { Guest } from "./support.ts";
import { awaitProcess, startClient } from "./waiting-client.ts";

const SAMPLES = 3;

/** How long another team's session takes from its client's start to its Nix handshake and end, in milliseconds: the median. */
async function handshake(guest: Guest): Promise<number> {
  const times: number[] = [];
  for (let sample = 0; sample < SAMPLES; sample += 1) {
    const began = performance.now();
    const { stdout, exitCode } = await guest.ssh("nix-gamma", "nix-store --serve", { input: serveHello });
    times.push(performance.now() - began);
    expect(exitCode).toBe(0);
    expect(isServeAnswer(stdout)).toBe(true);
  }
  return times.sort((a, b) => a - b)[SAMPLES >> 1] as number;
}

test("another team's session takes no more than twice its time while a hostile program runs", async ({ builder }) => {
  await setRunTime(builder, "60s");
  await allow(builder, "alpha", {
    churn: program("again.sh", "/opt/hostile/mmap-hog.pl", "50", "1"),
    bombs: program("again.sh", "/opt/hostile/fork-bomb.pl"),
  });
  const alone = await handshake(builder);
  const beside: Record<string, number> = {};
  for (const request of ["cpu-hog", "churn", "bombs"]) {
    using _client = startClient(builder, request);
    await awaitProcess(builder, "/opt/hostile");
    beside[request] = await handshake(builder);
    await builder.asRoot("pkill -TERM -u nix-alpha -f nixgate.cjs");
    await awaitNothing(builder, 4000);
  }
  for (const [request, time] of Object.entries(beside)) expect.soft(time / alone, request).toBeLessThanOrEqual(2);
});
