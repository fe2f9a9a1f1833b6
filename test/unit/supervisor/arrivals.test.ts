import { expect, test } from "vitest";
import { type Arrival, arrivalsInTurn } from "../../../src/supervisor/arrivals.ts";
import type { Fifo } from "../../../src/supervisor/fifos.ts";
import type { ShimProcess } from "../../../src/supervisor/shim/shim-process.ts";
import { toFd, toPid } from "../../../src/units/ids.ts";
import { waitFor } from "../../support/wait-for.ts";

const team = (name: string): Fifo => ({ name, descriptor: toFd(-1), uid: 0, gid: 0 });
const ASK = { number: 1, status: undefined };
const settled = () => new Promise((resolve) => setImmediate(resolve));

function scene() {
  const begun: string[] = [];
  const closed: number[] = [];
  const gone = new Set<number>();
  const ends: (() => void)[] = [];
  const shim = (pid: number) =>
    ({
      pid,
      state: () => (gone.has(pid) ? "gone" : "stopped"),
      close: () => void closed.push(pid),
    }) as unknown as ShimProcess;
  const arrivals = arrivalsInTurn(async ({ name }, { shim: { pid } }: Arrival) => {
    begun.push(`${name} ${pid}`);
    await new Promise<void>((resolve) => ends.push(resolve));
  });
  return { arrivals, begun, closed, gone, ends, shim };
}

test("two sessions of a team begin at one time, and the others wait for them", async () => {
  const { arrivals, begun, ends, shim } = scene();
  const alpha = team("alpha");
  for (const pid of [1, 2, 3, 4]) arrivals.add(alpha, shim(pid), ASK);
  expect(begun).toEqual(["alpha 1", "alpha 2"]);
  ends[0]?.();
  await settled();
  expect(begun.at(-1)).toBe("alpha 3");
});

test("no session waits for another team's, and beside those one of a team begins at one time", async () => {
  const { arrivals, begun, ends, shim } = scene();
  const [alpha, beta] = [team("alpha"), team("beta")];
  for (const pid of [1, 2, 3, 4]) arrivals.add(alpha, shim(pid), ASK);
  for (const pid of [5, 6]) arrivals.add(beta, shim(pid), ASK);
  expect(begun).toEqual(["alpha 1", "alpha 2", "beta 5"]);
  ends[0]?.();
  await settled();
  expect(begun).toHaveLength(3); // alpha has one that begins
  ends[1]?.();
  await settled();
  expect(begun.slice(3)).toEqual(["alpha 3"]);
  for (const end of ends.slice(2)) end();
  await settled();
  expect(begun.slice(4).sort()).toEqual(["alpha 4", "beta 6"]);
  for (const end of ends.slice(4)) end();
  for (const pid of [7, 8]) arrivals.add(alpha, shim(pid), ASK);
  await settled();
  expect(begun.slice(6)).toEqual(["alpha 7", "alpha 8"]); // beta has none any more
});

test("a shim that waits or begins is known, until it is gone", () => {
  const { arrivals, gone, shim } = scene();
  const [alpha, beta] = [team("alpha"), team("beta")];
  for (const pid of [1, 2, 3]) arrivals.add(alpha, shim(pid), ASK);
  expect([arrivals.has(alpha, toPid(3)), arrivals.has(beta, toPid(3)), arrivals.has(alpha, toPid(1))]).toEqual([
    true,
    false,
    true,
  ]);
  for (const pid of [1, 3]) gone.add(pid);
  expect([arrivals.has(alpha, toPid(3)), arrivals.has(alpha, toPid(1))]).toEqual([false, false]);
});

test("one that is gone when its turn comes is passed over, and closed", async () => {
  const { arrivals, begun, closed, gone, ends, shim } = scene();
  const alpha = team("alpha");
  for (const pid of [1, 2, 3, 4]) arrivals.add(alpha, shim(pid), ASK);
  gone.add(3);
  ends[0]?.();
  await settled();
  expect({ begun: begun.at(-1), closed }).toEqual({ begun: "alpha 4", closed: [3] });
});

test("one that asks again while it waits has one turn, and a new process with its number has its own", () => {
  const { arrivals, closed, gone, shim } = scene();
  const alpha = team("alpha");
  for (const pid of [1, 2, 3, 3]) arrivals.add(alpha, shim(pid), ASK);
  expect(closed).toEqual([3]);
  gone.add(3);
  arrivals.add(alpha, shim(3), ASK);
  expect(closed).toEqual([3, 3]);
});

test("a thousand wait, and then no more are taken of this team", () => {
  const { arrivals, shim } = scene();
  const [alpha, beta] = [team("alpha"), team("beta")];
  for (let pid = 1; pid <= 1001; pid += 1) arrivals.add(alpha, shim(pid), ASK);
  expect(arrivals.isFull(alpha)).toBe(false);
  arrivals.add(alpha, shim(1002), ASK);
  expect([alpha, beta].map(arrivals.isFull)).toEqual([true, false]);
});

test("sessions of a team whose budget is used up wait for it, and another team's begin", async () => {
  const { shim } = scene();
  const [alpha, beta] = [team("alpha"), team("beta")];
  const begun: string[] = [];
  let isLeft = false;
  const begin = async (fifo: Fifo, arrival: Arrival) => void begun.push(`${fifo.name} ${arrival.shim.pid}`);
  const arrivals = arrivalsInTurn(begin, (fifo) => fifo === beta || isLeft);
  for (const pid of [1, 2]) arrivals.add(alpha, shim(pid), ASK);
  arrivals.add(beta, shim(3), ASK);
  await new Promise((resolve) => setTimeout(resolve, 150));
  expect(begun).toEqual(["beta 3"]);
  expect(arrivals.has(alpha, toPid(1))).toBe(true);
  isLeft = true;
  await waitFor("alpha's sessions", () => begun.length === 3);
  expect(begun.slice(1)).toEqual(["alpha 1", "alpha 2"]);
});
