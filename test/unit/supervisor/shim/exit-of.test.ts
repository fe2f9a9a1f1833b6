import { expect, test } from "vitest";
import { exitOf } from "../../../../src/supervisor/shim/exit-of.ts";

test.each([
  [0, { code: 0 }],
  [101, { code: 101 }],
  [128, { code: 128 }],
  [137, { signal: "SIGKILL" }],
  [139, { signal: "SIGSEGV" }],
  [143, { signal: "SIGTERM" }],
  [255, { code: 255 }],
] as const)("status %d of sh is %j", (status, exit) => {
  expect(exitOf(status)).toEqual(exit);
});
