// code-cache.cjs: serves one session of /bin/true in a temporary configuration and lists it. keep-code.cjs stores the
// code that V8 compiled for each of the two bundles.
const { spawnSync } = require("node:child_process");
const { mkdirSync, mkdtempSync, rmSync, writeFileSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");

const KEEP_CODE = join(__dirname, "keep-code.cjs");

const folder = mkdtempSync(join(tmpdir(), "nixgate-build-"));
const log = join(folder, "log");
mkdirSync(join(folder, "policies"));
mkdirSync(log, { mode: 0o700 });
const toml = (name, lines) => writeFileSync(join(folder, name), `${lines.join("\n")}\n`, { mode: 0o644 });
toml("nixgate.toml", [
  "schema = 1",
  "[scope]",
  'manager = "none"',
  "[log]",
  `directory = "${log}"`,
  "journald = false",
  "[admission]", // a build machine may be busy
  "min_available_memory = 0",
  "max_load_per_cpu = 1e6",
]);
toml("policies/build.toml", ["schema = 1", 'team = "build"', "[[allow]]", 'request = ["true"]', 'run = ["/bin/true"]']);

// The words that each bundle is run with: first sshd's bundle, then the other. Each run has the options that
// bin/nixgate gives Node.js, because V8 rejects code that was compiled under other options.
const RUNS = [
  {
    options: ["--min-semi-space-size=2", "--v8-pool-size=1"],
    words: ["session", "--team", "build", "--config-dir", folder],
  },
  { options: ["--max-semi-space-size=4"], words: ["sessions", "list", "--log-dir", log] },
];
const env = { SSH_ORIGINAL_COMMAND: "true" };
for (const { options, words } of RUNS) {
  spawnSync(process.execPath, ["--disable-sigusr1", ...options, KEEP_CODE, ...words], {
    env,
    stdio: ["ignore", "ignore", "inherit"],
  });
}
rmSync(folder, { recursive: true, force: true });
