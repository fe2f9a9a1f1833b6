import { expect, test } from "vitest";
import { usageFrom } from "../../../src/ending/counters.ts";

const NONE = {
  "cpu.stat": undefined,
  "memory.peak": undefined,
  "memory.events": undefined,
  "pids.peak": undefined,
  "pids.events": undefined,
  "io.stat": undefined,
};

test("the figures come from the kernel's files", () => {
  expect(
    usageFrom({
      "cpu.stat": "usage_usec 1234567\nuser_usec 1\nnr_throttled 3\nthrottled_usec 9600",
      "memory.peak": "314572800",
      "memory.events": "low 0\nmax 9\noom 2\noom_kill 1\noom_group_kill 0",
      "pids.peak": "7",
      "pids.events": "max 4",
      "io.stat": "8:0 rbytes=4096 wbytes=10 rios=1 wios=1\n254:0 rbytes=4 wbytes=0",
    }),
  ).toEqual({
    cpu_ms: 1235,
    cpu_throttled_ms: 10,
    memory_peak_bytes: 314572800,
    tasks_peak: 7,
    oom_kills: 1,
    tasks_refused: 4,
    io_read_bytes: 4100,
    io_write_bytes: 10,
  });
});

test("a figure that the kernel does not offer is absent, never 0", () => {
  expect(usageFrom(NONE)).toEqual({});
  expect(usageFrom({ ...NONE, "cpu.stat": "usage_usec 5000" })).toEqual({ cpu_ms: 5 });
});

test("an empty io.stat means that nothing was read or written", () => {
  expect(usageFrom({ ...NONE, "io.stat": "" })).toEqual({ io_read_bytes: 0, io_write_bytes: 0 });
});
