import { execFileSync } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type Fifo, passedFifos, readInTurn } from "../../src/system/supervise/fifos.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { waitFor } from "../support/wait-for.ts";

/** A FIFO as systemd holds it: open for reading and writing, so that it never ends. */
function fifo(folder: string, name: string): Fifo & { write(text: string | Uint8Array): void } {
  const path = join(folder, name);
  execFileSync("mkfifo", [path]);
  const descriptor = openSync(path, "r+");
  const writer = openSync(path, "w");
  onTestFinished(() => closeSync(writer));
  return { name, descriptor, uid: 0, gid: 0, write: (text) => void writeSync(writer, Buffer.from(text)) };
}

test("a flood in one FIFO does not keep a line in another waiting", async () => {
  const folder = temporaryFolder("fifos");
  const [flooded, quiet] = [fifo(folder, "alpha"), fifo(folder, "beta")];
  for (let n = 0; n < 5000; n += 1) flooded.write(`${n} 1 \n`);
  quiet.write("7 1 \n");
  const order: string[] = [];
  const reading = readInTurn([flooded, quiet], ({ name }, line) => void order.push(`${name} ${line}`));
  onTestFinished(() => reading.stop());
  await waitFor("all lines", () => order.length === 5001);
  expect(order.indexOf("beta 7 1 ")).toBeLessThan(200);
  expect(order.filter((line) => line.startsWith("alpha "))).toHaveLength(5000);
});

test("a line may come in parts, and what is too long for a front's is cut", async () => {
  const one = fifo(temporaryFolder("fifos"), "alpha");
  const lines: string[] = [];
  const reading = readInTurn([one], (_, line) => void lines.push(line));
  onTestFinished(() => reading.stop());
  one.write("12 ");
  await new Promise((resolve) => setTimeout(resolve, 30));
  one.write("1 0\n\0\xff");
  one.write(`${"x".repeat(5000)}\n34 1 \n`);
  await waitFor("the last line", () => lines.includes("34 1 "));
  expect(lines[0]).toBe("12 1 0");
  expect(lines[1]?.length).toBeLessThanOrEqual(64);
});

test("only descriptors that systemd meant for this process are taken", () => {
  const environment = { LISTEN_PID: "17", LISTEN_FDS: "1", LISTEN_FDNAMES: "alpha" };
  expect(passedFifos(environment, 18)).toEqual([]);
  expect(passedFifos({}, 18)).toEqual([]);
});
