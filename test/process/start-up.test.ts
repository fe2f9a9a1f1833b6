import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { build, type Metafile } from "esbuild";
import { afterAll, beforeAll, expect, test } from "vitest";
import { trueSession } from "../support/true-session.ts";

const NODE = "dist/node";
const BUNDLE = "dist/nixgate-session.cjs";
const MAIN = "src/main.ts";
const SAY_START = "test/fixtures/programs/say-start.cjs";

let session: ReturnType<typeof trueSession>;
let folder: string;
beforeAll(() => {
  session = trueSession();
  folder = mkdtempSync(join(tmpdir(), "nixgate-coverage-"));
});
afterAll(() => {
  session.remove();
  rmSync(folder, { recursive: true, force: true });
});

interface Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly {
      readonly functionName: string;
      readonly ranges: readonly { readonly count: number }[];
    }[];
  }[];
}

const packageOf = (path: string) => /^node_modules\/((?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1];
const unique = (names: readonly (string | undefined)[]) =>
  [...new Set(names.filter((name) => name !== undefined))].sort();

/** esbuild wraps each module that is imported late in a function named by its path: V8 counts whether it was called. */
function modulesRun(): readonly string[] {
  const files = readdirSync(folder).map((name) => JSON.parse(readFileSync(join(folder, name), "utf8")) as Coverage);
  return files
    .flatMap(({ result }) => result.filter(({ url }) => url.endsWith(BUNDLE)))
    .flatMap(({ functions }) => functions)
    .filter(({ ranges }) => (ranges[0]?.count ?? 0) > 0)
    .map(({ functionName }) => functionName);
}

/** What runs before main has looked at a word: everything that static imports lead to. */
function staticallyReached({ inputs }: Metafile): readonly string[] {
  const reached = new Set([MAIN]);
  for (const path of reached) {
    for (const { path: next, kind, external } of inputs[path]?.imports ?? []) {
      if (kind !== "dynamic-import" && external !== true) reached.add(next);
    }
  }
  return [...reached];
}

test("a session runs the code of three small packages and of no other", () => {
  expect(session.runBy(NODE, ["bin/nixgate.cjs"], { NODE_V8_COVERAGE: folder })).toMatchObject({ status: 0 });
  const run = modulesRun();
  expect(run).toContain("src/session/serve-session.ts");
  expect(run).not.toContain("src/commands/sessions/sessions-list.ts");
  expect(unique(run.map(packageOf))).toEqual(["@noble/hashes", "smol-toml", "zod"]);
});

test("main imports no package before it knows which command is called", async () => {
  const { metafile } = await build({
    entryPoints: [MAIN],
    bundle: true,
    platform: "node",
    format: "cjs",
    write: false,
    external: ["vega", "vega-lite"], // no CommonJS can be made of them for Node, see scripts/build.mjs
    metafile: true,
  });
  const reached = staticallyReached(metafile);
  expect(reached).toContain("src/units/error.ts");
  expect(unique(reached.map(packageOf))).toEqual([]);
});

function start(): { readonly modules: readonly string[]; readonly cachedDataRejected?: boolean } {
  const { status, stderr } = session.runBy(NODE, ["--require", `./${SAY_START}`, "bin/nixgate.cjs"]);
  expect(status).toBe(0);
  return JSON.parse(stderr.trim().split("\n").at(-1) ?? "");
}

test("a session loads none of Node's modules that cost time and serve nothing here", () => {
  const { modules } = start();
  expect(modules).toContain("child_process");
  const dear = [
    "http",
    "https",
    "perf_hooks",
    "readline",
    "tls",
    "url",
    "worker_threads",
    "internal/modules/esm/loader",
  ];
  expect(modules.filter((name) => dear.includes(name))).toEqual([]);
});

test("a session starts from the code that V8 made at the build", () => {
  expect(start().cachedDataRejected).toBe(false);
});
