import { execFileSync } from "node:child_process";
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { type Fifo, passedFifos, readInTurn } from "../../src/supervisor/fifos.ts";
import { toFd, toPid } from "../../src/units/ids.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { waitFor } from "../support/wait-for.ts";

/** A FIFO as systemd holds it: open for reading and writing, so that it never ends. */
function fifo(folder: string, name: string): Fifo & { write(text: string | Uint8Array): void } {
  const path = join(folder, name);
  execFileSync("mkfifo", [path]);
  const descriptor = toFd(openSync(path, "r+"));
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

test("a FIFO whose lines take long to look at is read later, the others at once", async () => {
  const folder = temporaryFolder("fifos");
  const [slow, quick] = [fifo(folder, "alpha"), fifo(folder, "beta")];
  const LOOK_MS = 10;
  let spent = 0;
  let answered = 0;
  const rested = new Set<string>();
  const take = ({ name }: Fifo) => {
    if (name === "beta") answered += 1;
    else for (const began = performance.now(); performance.now() - began < LOOK_MS; );
    if (name === "alpha") spent += LOOK_MS;
  };
  const reading = readInTurn([slow, quick], take, { isFull: () => false, rests: ({ name }) => void rested.add(name) });
  onTestFinished(() => reading.stop());
  slow.write("1 1 \n".repeat(800));
  const began = performance.now();
  let written = 0;
  for (; performance.now() - began < 1500; written += 1) {
    quick.write("2 1 \n");
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  expect(spent / (performance.now() - began)).toBeLessThan(0.4);
  expect(spent).toBeGreaterThan(50);
  await waitFor("the other's lines", () => answered === written);
  expect([...rested]).toEqual(["alpha"]);
});

test("a FIFO for whose lines there is no room keeps them, and its writers wait", async () => {
  const folder = temporaryFolder("fifos");
  const [full, other] = [fifo(folder, "alpha"), fifo(folder, "beta")];
  const taken: string[] = [];
  let room = false;
  const pace = { isFull: ({ name }: Fifo) => name === "alpha" && !room, rests: () => {} };
  const reading = readInTurn([full, other], ({ name }) => void taken.push(name), pace);
  onTestFinished(() => reading.stop());
  full.write("1 1 \n");
  other.write("2 1 \n");
  await waitFor("the other", () => taken.length > 0);
  await new Promise((resolve) => setTimeout(resolve, 50));
  expect(taken).toEqual(["beta"]);
  room = true;
  await waitFor("its line", () => taken.length > 1);
  expect(taken).toEqual(["beta", "alpha"]);
});

test("a FIFO whose line is not taken yet keeps its next lines, and the others go on", async () => {
  const folder = temporaryFolder("fifos");
  const [stuck, other] = [fifo(folder, "alpha"), fifo(folder, "beta")];
  const taken: string[] = [];
  const { promise, resolve } = Promise.withResolvers<void>();
  const take = ({ name }: Fifo, line: string) => {
    taken.push(`${name} ${line}`);
    return name === "alpha" ? promise : undefined;
  };
  const reading = readInTurn([stuck, other], take);
  onTestFinished(() => reading.stop());
  stuck.write("1 1 \n2 1 \n");
  await waitFor("the first line", () => taken.length > 0);
  other.write("3 1 \n4 1 \n");
  await waitFor("the other's lines", () => taken.length > 2);
  expect(taken).toEqual(["alpha 1 1 ", "beta 3 1 ", "beta 4 1 "]);
  resolve();
  await waitFor("its next line", () => taken.length > 3);
  expect(taken.at(-1)).toBe("alpha 2 1 ");
});

test("a line may come in parts, and a line too long for a shim is cut", async () => {
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
  expect(
    passedFifos(
      environment,
      toPid(18),
      () => 1,
      () => {},
    ),
  ).toEqual([]);
  expect(
    passedFifos(
      {},
      toPid(18),
      () => 1,
      () => {},
    ),
  ).toEqual([]);
});
