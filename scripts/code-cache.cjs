// code-cache.cjs: serves one session around /bin/true in a temporary configuration, then keeps what V8 compiled for it
// in dist/nixgate.cache: the functions that a session calls are in it, the others are compiled when they are called.
const { mkdirSync, mkdtempSync, rmSync, writeFileSync } = require("node:fs");
const { tmpdir } = require("node:os");
const { join } = require("node:path");

const folder = mkdtempSync(join(tmpdir(), "nixgate-build-"));
mkdirSync(join(folder, "policies"));
const toml = (name, lines) => writeFileSync(join(folder, name), `${lines.join("\n")}\n`, { mode: 0o644 });
toml("nixgate.toml", [
  "schema = 1",
  "[scope]",
  'manager = "none"',
  "[log]",
  `directory = "${folder}"`,
  "journald = false",
  "[admission]", // a build machine is busy
  "min_available_memory = 0",
  "max_load_per_cpu = 1e6",
]);
toml("policies/build.toml", ["schema = 1", 'team = "build"', "[[allow]]", 'request = ["true"]', 'run = ["/bin/true"]']);

process.env.SSH_ORIGINAL_COMMAND = "true";
process.argv.splice(2, Number.POSITIVE_INFINITY, "session", "--team", "build", "--config-dir", folder);
process.on("exit", (status) => {
  rmSync(folder, { recursive: true, force: true });
  if (status === 0) writeFileSync(join(__dirname, "../dist/nixgate.cache"), script.createCachedData());
});
const script = require("../bin/nixgate.cjs");
