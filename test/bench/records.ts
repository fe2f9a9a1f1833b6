// npm run bench:records [-- --sessions N] [--rounds N] [--assert]: what it takes to read a large archive, beside jq and
// ripgrep doing the nearest thing to the same files. Each round runs every program once, in turn, so that a busy machine
// slows all of them; medians; jq, which takes minutes, runs once. All files are in the page cache before it begins.
// With --assert the exit status is 1 unless the goals are met.
import { type SpawnOptions, spawn, spawnSync } from "node:child_process";
import { closeSync, mkdtempSync, openSync, readFileSync, readSync, rmSync } from "node:fs";
import { cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { largeArchive } from "./records-archive.ts";

const { values } = parseArgs({
  options: {
    sessions: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "5" },
    assert: { type: "boolean", default: false },
  },
});
const MiB = 1024 * 1024;
const SAMPLE_MS = 5;

interface Run {
  readonly seconds: number;
  /** VmHWM of proc(5), as last seen: the process's own peak, in bytes. */
  readonly peak: number;
  readonly lines: number;
}

function peakOf(pid: number): number {
  try {
    return Number(/^VmHWM:\s+(\d+) kB/m.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) * 1024;
  } catch {
    return 0;
  }
}

function run(argv: readonly string[], options: SpawnOptions = {}): Promise<Run> {
  const [file = "", ...words] = argv;
  const began = performance.now();
  const child = spawn(file, words, { stdio: ["ignore", "pipe", "inherit"], ...options });
  let peak = 0;
  let lines = 0;
  const sampling = setInterval(() => {
    peak = Math.max(peak, peakOf(child.pid ?? 0));
  }, SAMPLE_MS);
  child.stdout?.on("data", (chunk: Buffer) => {
    for (let at = chunk.indexOf(10); at >= 0; at = chunk.indexOf(10, at + 1)) lines += 1;
  });
  return new Promise((resolve, reject) => {
    child.once("error", reject);
    child.once("close", (status, signal) => {
      clearInterval(sampling);
      const seconds = (performance.now() - began) / 1000;
      if (status === 0) resolve({ seconds, peak, lines });
      else reject(new Error(`${argv.slice(0, 4).join(" ")}: ended with ${status ?? signal}`));
    });
  });
}

const median = (numbers: readonly number[]) => {
  const sorted = numbers.toSorted((a, b) => a - b);
  return ((sorted[(sorted.length - 1) >> 1] ?? 0) + (sorted[sorted.length >> 1] ?? 0)) / 2;
};

for (const [program, needed] of [
  ["jq", "jq"],
  ["rg", "ripgrep"],
] as const) {
  if (spawnSync(program, ["--version"]).error) {
    console.error(`bench:records needs ${program}; install Debian's package ${needed}`);
    process.exit(69);
  }
}

const { directory, files, bytes } = await largeArchive(Number(values.sessions));
const cache = mkdtempSync(join(tmpdir(), "nixgate-bench-"));
const env: NodeJS.ProcessEnv = { ...process.env, XDG_CACHE_HOME: cache };
delete env["NODE_EXTRA_CA_CERTS"]; // read at every start, and no part of the question
const nixgate = (...words: string[]) => run(["bin/nixgate", "sessions", ...words, "--log-dir", directory], { env });

for (const path of files) {
  const file = openSync(path, "r");
  for (const block = Buffer.alloc(MiB); readSync(file, block) > 0; );
  closeSync(file);
}
const middle = readFileSync(files[files.length >> 1] ?? "", "utf8");
const id = /"session":"([^"]+)"/.exec(middle.slice(middle.length >> 1))?.[1] ?? "";

const STATS = `reduce inputs as $r ({}; if $r.event == "session.end"
  then .[$r.team].sessions += 1 | .[$r.team].wall += $r.wall_ms | .[$r.team].causes[$r.cause] += 1 else . end)`;
/** What is measured in each round, and what is measured once. */
const tasks: Record<string, { again: Record<string, () => Promise<Run>>; once: Record<string, () => Promise<Run>> }> = {
  "list --cause oom": {
    again: {
      nixgate: () => nixgate("list", "--cause", "oom"),
      ripgrep: () => run(["rg", "--no-filename", "--fixed-strings", '"cause":"oom"', ...files]),
    },
    once: {
      "nixgate --no-index": () => nixgate("list", "--cause", "oom", "--no-index"),
      jq: () => run(["jq", "-c", 'select(.event == "session.end" and .cause == "oom")', ...files]),
    },
  },
  stats: {
    again: {
      nixgate: () => nixgate("stats"),
      ripgrep: () => run(["rg", "--count", "--fixed-strings", '"event":"session.end"', ...files]),
    },
    once: {
      "nixgate --no-index": () => nixgate("stats", "--no-index"),
      jq: () => run(["jq", "-n", STATS, ...files]),
    },
  },
  "show ID": {
    again: {
      nixgate: () => nixgate("show", id),
      "nixgate --no-index": () => nixgate("show", id, "--no-index"),
      ripgrep: () => run(["rg", "--no-filename", "--fixed-strings", id, ...files]),
    },
    once: { jq: () => run(["jq", "-c", `select(.session == "${id}")`, ...files]) },
  },
  verify: {
    again: {},
    once: {
      nixgate: () => nixgate("verify"),
      "jq, which parses alone": () => run(["jq", "-e", "-n", "reduce inputs as $r (0; . + 1)", ...files]),
      "sha256sum, which hashes alone": () => run(["sha256sum", ...files]),
    },
  },
};

const seen = new Map<string, Run[]>();
const note = (name: string, one: Run) => void seen.set(name, [...(seen.get(name) ?? []), one]);
const secondsOf = (name: string) => median((seen.get(name) ?? []).map(({ seconds }) => seconds));
const peakMiB = (name: string) => Math.max(...(seen.get(name) ?? []).map(({ peak }) => peak)) / MiB;
const show = (name: string) => {
  const [one] = seen.get(name) ?? [];
  const time = `${secondsOf(name).toFixed(3)} s`.padStart(12);
  console.log(
    `${name.padEnd(48)}${time}${`${peakMiB(name).toFixed(0)} MiB`.padStart(10)}${String(one?.lines).padStart(10)}`,
  );
};

try {
  console.log(
    `${values.sessions} sessions, ${files.length} files, ${(bytes / MiB).toFixed(0)} MiB; ${cpus().length} CPUs`,
  );
  console.log(`${"".padEnd(48)}${"median".padStart(12)}${"peak RSS".padStart(10)}${"lines".padStart(10)}`);
  const first = "list --cause oom: nixgate, the first time";
  note(first, await nixgate("list", "--cause", "oom"));
  show(first);
  for (let round = 0; round < Number(values.rounds); round += 1) {
    for (const [task, { again }] of Object.entries(tasks))
      for (const [program, start] of Object.entries(again)) note(`${task}: ${program}`, await start());
  }
  for (const [task, { again, once }] of Object.entries(tasks)) {
    for (const [program, start] of Object.entries(once)) note(`${task}: ${program}`, await start());
    for (const program of Object.keys({ ...again, ...once })) show(`${task}: ${program}`);
  }
  const ratio = (a: string, b: string) => secondsOf(a) / secondsOf(b);
  const peaks = [...seen.keys()].filter((name) => name.includes(": nixgate")).map(peakMiB);
  const goals: readonly (readonly [what: string, is: number, atMost: number])[] = [
    ["show ID, in seconds", secondsOf("show ID: nixgate"), 0.1],
    [
      "list with a filter, in times of ripgrep's scan",
      ratio("list --cause oom: nixgate", "list --cause oom: ripgrep"),
      3,
    ],
    ["list with a filter, in times of jq", ratio("list --cause oom: nixgate", "list --cause oom: jq"), 1 / 20],
    ["stats, in times of ripgrep's scan", ratio("stats: nixgate", "stats: ripgrep"), 3],
    ["stats, in times of jq", ratio("stats: nixgate", "stats: jq"), 1 / 20],
    ["the most memory of all runs, in MiB", Math.max(...peaks), 150],
  ];
  for (const [what, is, atMost] of goals) {
    const isMet = is <= atMost;
    console.log(`${isMet ? "met   " : "missed"}  ${what}: ${is.toFixed(4)}, at most ${atMost}`);
    if (!isMet && values.assert) process.exitCode = 1;
  }
  console.log(`load at the end: ${loadavg()[0]?.toFixed(2)}`);
} finally {
  rmSync(cache, { recursive: true, force: true });
}
