import { expect, test } from "vitest";
import { LIVE_FILES, type LiveFile, liveFiguresFrom } from "../../../src/ending/live-figures.ts";

const none = Object.fromEntries(LIVE_FILES.map((file) => [file, undefined])) as Record<LiveFile, undefined>;

test.each<[string, Partial<Record<LiveFile, string>>, object]>([
  ["no file at all", {}, {}],
  ["CPU time in milliseconds", { "cpu.stat": "usage_usec 1234567\nuser_usec 1\nsystem_usec 2" }, { cpu_ms: 1234.567 }],
  ["a quota in per cent of one CPU", { "cpu.max": "150000 100000" }, { cpu_quota_percent: 150 }],
  ["no quota", { "cpu.max": "max 100000" }, {}],
  ["memory", { "memory.current": "4096", "memory.max": "8192" }, { memory_bytes: 4096, memory_max_bytes: 8192 }],
  ["memory without a limit", { "memory.current": "0", "memory.max": "max" }, { memory_bytes: 0 }],
  ["tasks", { "pids.current": "3", "pids.max": "256" }, { tasks: 3, tasks_max: 256 }],
  ["texts that are none", { "pids.current": "", "cpu.stat": "x", "cpu.max": "" }, {}],
])("%s", (_, files, figures) => expect(liveFiguresFrom({ ...none, ...files })).toEqual(figures));
