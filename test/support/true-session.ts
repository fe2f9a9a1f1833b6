import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

const HOST = (log: string) => `schema = 1
[scope]
manager = "none"
require = true
[log]
directory = "${log}"
journald = false
`;
const POLICY = `schema = 1
team = "bench"
[[allow]]
request = ["true"]
run = ["/bin/true"]
`;

export interface TrueSession {
  /** Serves a session around /bin/true through bin/nixgate, as sshd would start it: three pipes, hardly an environment. */
  run(): { readonly status: number | null; readonly stderr: string };
  /** The same, by a Node.js with options of its own. */
  runBy(
    node: string,
    options: readonly string[],
    extra?: Readonly<Record<string, string>>,
  ): ReturnType<TrueSession["run"]>;
  remove(): void;
}

/** A configuration of its own in a temporary folder, with a team that may ask for `true`. */
export function trueSession(): TrueSession {
  const folder = mkdtempSync(join(tmpdir(), "nixgate-true-"));
  mkdirSync(join(folder, "policies"));
  mkdirSync(join(folder, "log"), { mode: 0o700 });
  writeFileSync(join(folder, "nixgate.toml"), HOST(join(folder, "log")), { mode: 0o644 });
  writeFileSync(join(folder, "policies/bench.toml"), POLICY, { mode: 0o644 });

  const words = ["session", "--team", "bench", "--config-dir", folder];
  const environment = {
    PATH: "/usr/bin:/bin",
    SSH_ORIGINAL_COMMAND: "true",
    SSH_CONNECTION: "192.0.2.1 1024 192.0.2.2 22",
  };
  const run = (program: string, args: readonly string[], extra = {}) =>
    spawnSync(program, args, { env: { ...environment, ...extra }, encoding: "utf8" });
  return {
    run: () => run("bin/nixgate", words),
    runBy: (node, options, extra) => run(node, [...options, ...words], extra),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}
