// Watch mode: vitest runs the unit tests that a change affects, tsc checks the types. Ctrl-C ends both.
import { spawn } from "node:child_process";

const watchers = [
  ["vitest", "watch", "--project", "unit"],
  ["tsc", "--noEmit", "--watch", "--preserveWatchOutput"],
].map(([program, ...words]) => spawn(program, words, { stdio: ["inherit", "inherit", "inherit"] }));
const end = () => {
  for (const watcher of watchers) watcher.kill();
};
for (const watcher of watchers) watcher.once("exit", end);
for (const signal of ["SIGINT", "SIGTERM"]) process.once(signal, end);
