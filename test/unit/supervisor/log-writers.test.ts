import { expect, test } from "vitest";
import { logWriters } from "../../../src/supervisor/log-writers.ts";
import type { Bytes } from "../../../src/units/quantities.ts";

const KIB = 1024;
const MINUTE = 60_000;

/** A folder of records with so many available KiB, of which 100 are wanted, and the sizes of the files of the day. */
function host(today: Record<string, number> = {}) {
  const state = { at: 0, available: 1000, folders: 0 };
  const writers = logWriters(() => state.at, {
    space: () => ({ available: state.available * KIB, wanted: 100 * KIB, used: 0 }),
    teams: () => Object.keys(today),
    sizeOfDay: (_, team) => (today[team] ?? 0) * KIB,
  });
  const open = writers.counting(() => ({ append: () => undefined, close: () => undefined }));
  return {
    state,
    write: (team: string, kib: number) => {
      const file = open("/log", team, 0);
      for (let n = 0; n < kib; n += 1) file.append("x".repeat(KIB), { durable: false });
    },
    has: (...teams: string[]) => teams.filter((team) => writers.logRoom("/log", team, 0, 100 as Bytes)),
  };
}

test("the team that writes the most now is turned away, and not the one with the largest file of the day", () => {
  const { state, write, has } = host({ alpha: 9000, beta: 500 });
  write("alpha", 10);
  write("beta", 60);
  expect(has("alpha", "beta", "gamma")).toEqual(["alpha", "beta", "gamma"]);
  state.available = 99;
  expect(has("alpha", "beta", "gamma")).toEqual(["alpha", "gamma"]);
});

test("a team that was turned away stays so until there is room, however little it has written since", () => {
  const { state, write, has } = host();
  write("beta", 70);
  state.available = 99;
  expect(has("beta")).toEqual([]);
  state.at += 60 * MINUTE;
  write("alpha", 500);
  expect(has("alpha", "beta")).toEqual(["alpha"]);
  state.available = 100;
  expect(has("alpha", "beta")).toEqual(["alpha", "beta"]);
  state.available = 99;
  expect(has("alpha", "beta")).toEqual(["beta"]);
});

test("the next team follows when half of the space that was left is used", () => {
  const { state, write, has } = host();
  write("alpha", 300);
  write("beta", 200);
  write("gamma", 100);
  state.available = 80;
  expect(has("alpha", "beta", "gamma")).toEqual(["beta", "gamma"]);
  state.available = 40;
  expect(has("alpha", "beta", "gamma")).toEqual(["beta", "gamma"]);
  state.available = 39;
  expect(has("alpha", "beta", "gamma")).toEqual(["gamma"]);
  state.available = 20;
  expect(has("gamma")).toEqual(["gamma"]);
});

test("what was written more than twenty minutes ago does not count, and what was ten minutes ago does", () => {
  const { state, write, has } = host();
  write("alpha", 100);
  state.at += 9 * MINUTE;
  write("alpha", 100);
  state.at += 10 * MINUTE;
  write("beta", 150);
  state.available = 99;
  expect(has("alpha", "beta")).toEqual(["beta"]);
  const later = host();
  later.write("alpha", 200);
  later.state.at += 20 * MINUTE;
  later.write("beta", 100);
  later.state.available = 99;
  expect(later.has("alpha", "beta")).toEqual(["alpha"]);
});

test("where less than 64 KiB were counted, the largest file of the day decides, and a team without one has room", () => {
  const { state, write, has } = host({ alpha: 10, beta: 500, _host: 9000 });
  write("alpha", 63);
  state.available = 99;
  expect(has("alpha", "beta", "gamma")).toEqual(["alpha", "gamma"]);
  const empty = host();
  empty.state.available = 0;
  expect(empty.has("alpha")).toEqual(["alpha"]);
});
