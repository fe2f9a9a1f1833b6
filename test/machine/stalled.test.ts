import { once } from "node:events";
import { describe, expect } from "vitest";
import { waitFor } from "../support/wait-for.ts";
import { BLOWS, type Blow, BOUND, expectCause } from "./blows.ts";
import { awaitNothing, setRunTime, test } from "./hostile.ts";
import type { Guest } from "./support.ts";
import { awaitProcess, startClient } from "./waiting-client.ts";

/** Without a pause it would use up half of a CPU. */
async function isHeldUp(guest: Guest): Promise<boolean> {
  const ticks = "cut -d' ' -f14,15 /proc/$(pgrep -u nix-alpha -x yes)/stat";
  const { stdout } = await guest.asRoot(`${ticks}; sleep 0.5; ${ticks}`);
  const [before, after] = `${stdout}`.trim().split("\n");
  return before !== undefined && before === after;
}

/** A client that reads nothing stays: all pipes between it and the command are full in the end. */
describe.for([
  ["stdout", "flood-stdout"],
  ["stderr", "flood-stderr"],
] as const)("a client that does not read a flood on %s", ([, request]) => {
  test("does not delay the end of the command at its time limit", async ({ builder }) => {
    await setRunTime(builder, "6s");
    using _client = startClient(builder, request);
    await awaitProcess(builder, "^yes ");
    await waitFor("the flood to stand still", () => isHeldUp(builder));
    await awaitNothing(builder, 6000 + BOUND);
    const { ended } = await expectCause(builder, "timeout");
    expect(ended).toMatchObject({ signal: "SIGTERM", leftovers: 0 });
  });

  test("gets no message, and a client that reads all of it does", async ({ builder }) => {
    await setRunTime(builder, "2s");
    using client = startClient(builder, request);
    client.stdout?.resume();
    let latest = "";
    let told = 0;
    client.stderr?.setEncoding("utf8").on("data", (text: string) => {
      // The flood goes on between the line and SIGTERM. It may be cut within a line.
      latest = (latest + text).slice(-1000 - text.length);
      const line = /nixgate: run time limit of 2s reached \(session [0-9a-f-]{36}\)\n/.exec(latest);
      if (line === null) return;
      told += 1;
      latest = latest.slice(line.index + line[0].length);
    });
    expect(await once(client, "close")).toEqual([143, null]);
    expect(told).toBe(1);
    await expectCause(builder, "timeout");
    await awaitNothing(builder, 1000);
  });

  const blows: readonly [string, Blow][] = Object.entries(BLOWS);
  test.for(blows.filter(([, { late }]) => late === 0))("leaves nothing when %s", async ([, blow], { builder }) => {
    await setRunTime(builder, "60s");
    using client = startClient(builder, request);
    await awaitProcess(builder, "^yes ");
    await waitFor("the flood to stand still", () => isHeldUp(builder));
    await blow.strike(client, builder);
    await awaitNothing(builder, BOUND);
    await expectCause(builder, blow.cause);
  });
});
