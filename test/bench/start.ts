// npm run bench:start [-- --assert RATIO] [--pairs N]: what a whole session around /bin/true costs, against
// `node -e 0` of the same Node.js. The two run in turn, so that a busy machine slows both; medians, so that one slow
// start does not count. With --assert the exit status is 1 unless the ratio is below.
import { spawnSync } from "node:child_process";
import { loadavg } from "node:os";
import { parseArgs } from "node:util";
import { trueSession } from "../support/true-session.ts";

/** The Node.js that bin/nixgate takes. */
const NODE = "dist/node";
const WARM_UP = 5;
const LEAST_PAIRS = 40;

const { values } = parseArgs({ options: { assert: { type: "string" }, pairs: { type: "string" } } });
const pairs = Math.max(LEAST_PAIRS, Number(values.pairs ?? 60));
const bound = values.assert === undefined ? undefined : Number(values.assert);
if (Number.isNaN(pairs) || Number.isNaN(bound)) throw new TypeError("--pairs and --assert take a number");

const session = trueSession();
const serve = () => {
  const { status, stderr } = session.run();
  if (status !== 0) throw new Error(`the session ended with ${status}: ${stderr}`);
};
// A file of certificates in NODE_EXTRA_CA_CERTS would be read at every start, and is no part of the question.
const empty = () => {
  const { status } = spawnSync(NODE, ["-e", "0"], { env: { PATH: "/usr/bin:/bin" } });
  if (status !== 0) throw new Error(`node -e 0 ended with ${status}`);
};
const timed = (action: () => void): number => {
  const began = performance.now();
  action();
  return performance.now() - began;
};
const median = (values: readonly number[]): number => {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? at(sorted, middle) : (at(sorted, middle - 1) + at(sorted, middle)) / 2;
};
const at = (values: readonly number[], index: number) => values[index] as number;

try {
  for (let round = 0; round < WARM_UP; round += 1) {
    serve();
    empty();
  }
  const sessions: number[] = [];
  const empties: number[] = [];
  for (let round = 0; round < pairs; round += 1) {
    sessions.push(timed(serve));
    empties.push(timed(empty));
  }
  const ratio = median(sessions) / median(empties);
  const ms = (value: number) => `${value.toFixed(1)} ms`;
  const load = loadavg()[0]?.toFixed(2);
  console.log(`session around /bin/true  ${ms(median(sessions))}  (fastest ${ms(Math.min(...sessions))})`);
  console.log(`node -e 0                 ${ms(median(empties))}  (fastest ${ms(Math.min(...empties))})`);
  console.log(`ratio of medians          ${ratio.toFixed(2)}  (${pairs} pairs, load ${load})`);
  if (bound !== undefined && !(ratio < bound)) {
    console.log(`the ratio is not below ${bound}`);
    process.exitCode = 1;
  }
} finally {
  session.remove();
}
