import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { onTestFinished } from "vitest";
import type { SessionRecord } from "../../src/record/schema.ts";

export const NIXGATE = resolve("bin/nixgate");
export const PROGRAMS = resolve("test/fixtures/programs");

/** A configuration and a record folder of a test's own, made from test/fixtures/config and removed after the test. */
export interface Workplace {
  readonly folder: string;
  readonly config: string;
  readonly log: string;
  /** Adds TOML to a team's policy. */
  allow(request: string, run: readonly string[], more?: string): void;
  /** Lets the real Nix serve a store of the test's own, so that the machine's is not touched. */
  serveNix(): void;
  /** Replaces text in a file of the configuration. */
  edit(file: string, from: string | RegExp, to: string): void;
  /** All records of a team, in the order of the file. */
  records(team?: string): readonly SessionRecord[];
}

export function workplace(): Workplace {
  const folder = mkdtempSync(join(tmpdir(), "nixgate-test-"));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  return workplaceIn(folder);
}

/** The same in a folder that outlives a single test. */
export function workplaceIn(folder: string): Workplace {
  const config = join(folder, "etc");
  const log = join(folder, "log");
  cpSync("test/fixtures/config", config, { recursive: true });
  mkdirSync(log);
  const edit: Workplace["edit"] = (file, from, to) => {
    const path = join(config, file);
    const before = readFileSync(path, "utf8");
    const after = before.replace(from, () => to); // `$$` in a text is no pattern
    if (after === before) throw new Error(`${file} holds no ${from}`);
    writeFileSync(path, after);
  };
  edit("nixgate.toml", "/var/log/nixgate", log);
  const policy = "policies/alpha.toml";
  return {
    folder,
    config,
    log,
    edit,
    allow(request, run, more = "") {
      const words = (list: readonly string[]) => JSON.stringify(list);
      edit(policy, /$/, `\n[[allow]]\nrequest = ${words(request.split(" "))}\nrun = ${words(run)}\n${more}`);
    },
    serveNix() {
      const environment = {
        NIX_REMOTE: `local?root=${folder}/server`,
        NIX_CONF_DIR: "/nonexistent",
        NIX_CONFIG: "build-users-group =",
      };
      const pairs = Object.entries(environment).map(([name, value]) => `${name} = ${JSON.stringify(value)}`);
      for (const endpoint of ["store-serve-write", "daemon-stdio"]) {
        edit(policy, `endpoint = "${endpoint}"`, `endpoint = "${endpoint}"\nenvironment = { ${pairs.join(", ")} }`);
      }
    },
    records(team = "alpha") {
      if (!existsSync(join(log, team))) return [];
      const files = readdirSync(join(log, team))
        .filter((name) => !name.startsWith("."))
        .sort(); // dots: counts of refusals
      const text = files.map((file) => readFileSync(join(log, team, file), "utf8")).join("");
      return text
        .split("\n")
        .slice(0, -1) // behind the last newline nothing stands, or a line that is just being written
        .filter((line) => line !== "") // of a writer that found another's line half written
        .map((line) => JSON.parse(line));
    },
  };
}
