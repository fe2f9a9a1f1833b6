import { expect, test } from "vitest";
import { type Arrival, arrivalsInTurn } from "../../../src/supervisor/arrivals.ts";
import type { Fifo } from "../../../src/supervisor/fifos.ts";
import type { ShimProcess } from "../../../src/supervisor/shim/shim-process.ts";

const team = (name: string): Fifo => ({ name, descriptor: -1, uid: 0, gid: 0 });
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

test("two sessions of a team begin at one time, the others wait for them, and no other team does", async () => {
  const { arrivals, begun, ends, shim } = scene();
  const [alpha, beta] = [team("alpha"), team("beta")];
  for (const pid of [1, 2, 3, 4]) arrivals.add(alpha, shim(pid), ASK);
  arrivals.add(beta, shim(5), ASK);
  expect(begun).toEqual(["alpha 1", "alpha 2", "beta 5"]);
  ends[0]?.();
  await settled();
  expect(begun.at(-1)).toBe("alpha 3");
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
