import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import type { Suite } from "../../tools/machine/debian.ts";
import { kernel } from "../../tools/machine/kernel.ts";

const NOWHERE = "no-such-suite" as Suite;

test("a suite without a kernel gets the next suite's kernel, with a message", async () => {
  const said: string[] = [];
  const found = await kernel((line) => said.push(line), [NOWHERE, "forky"]);
  expect(found.suite).toBe("forky");
  expect(existsSync(found.program)).toBe(true);
  expect(said.join("\n")).toMatch(/no kernel from no-such-suite: apt-get failed/);
});

test("without any kernel the message has a reason for each suite", async () => {
  await expect(kernel(() => {}, [NOWHERE])).rejects.toMatchObject({
    code: "E_MACHINE_KERNEL",
    message: expect.stringMatching(/no User-Mode Linux is to be had: no-such-suite: apt-get failed/),
  });
});
