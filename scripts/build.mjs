// Bundles src/main.ts into dist/nixgate.cjs, and the program that sshd starts into dist/nixgate-session.cjs. The format
// is CommonJS, because Node starts it faster than an ES module.
// `--if-needed` keeps a bundle that is newer than all of its sources.
import { spawnSync } from "node:child_process";
import { readdirSync, readFileSync, rmSync, statSync, symlinkSync } from "node:fs";
import { build } from "esbuild";

const [major, minor] = process.versions.node.split(".").map(Number);
if (major < 22 || (major === 22 && minor < 15)) {
  console.error(`build: Node.js 22.15 or newer is needed, this is ${process.version}; npm run build brings its own`);
  process.exit(69);
}

const OUT = "dist/nixgate.cjs";
const modified = (path) => statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? 0;
const sources = [
  "package.json",
  "bin/nixgate.cjs",
  "scripts/build.mjs",
  "scripts/code-cache.cjs",
  "scripts/keep-code.cjs",
].concat(readdirSync("src", { recursive: true }).map((name) => `src/${name}`));

/** Large packages that no session runs. They are in files of their own, so that Node need not read them. */
const APART = [
  "csv-stringify/sync",
  "dbus-native",
  "execa",
  "jsonc-parser",
  "pino",
  "systeminformation",
  "toml-eslint-parser",
  "vega",
];
/**
 * vega-lite contains parts of vega, so both are in one file. Under Node's own conditions vega would look for a canvas
 * and for files to load. It gets neither.
 */
const ENTRIES = {
  "jsonc-parser": { entryPoints: ["jsonc-parser"], mainFields: ["module"] }, // the UMD form hides its files from bundlers
  vega: {
    stdin: { contents: 'export * from "vega"; export { compile } from "vega-lite";', resolveDir: "." },
    platform: "neutral",
    mainFields: ["module", "main"],
  },
};
const fileOf = (name) => `${name.replace("/", "-")}.cjs`;

/** The relative path is right for dist/nixgate.cjs and for bin/nixgate.cjs, which passes its `require`. */
function keepApart({ onResolve }) {
  onResolve({ filter: new RegExp(`^(?:${APART.join("|")}|vega-lite)$`) }, ({ path }) => ({
    path: `../dist/${fileOf(path.replace("vega-lite", "vega"))}`,
    external: true,
  }));
}

if (!process.argv.includes("--if-needed") || sources.some((path) => modified(path) > modified(OUT))) {
  const { version } = JSON.parse(readFileSync("package.json", "utf8"));
  const common = {
    bundle: true,
    platform: "node",
    format: "cjs",
    target: "node22",
    minifySyntax: true,
    minifyWhitespace: true,
    legalComments: "none",
    supported: { "dynamic-import": false }, // import() of Node's own modules would start its loader of ES modules
    logLevel: "warning",
  };
  await build({
    ...common,
    entryPoints: { nixgate: "src/main.ts", "nixgate-session": "src/main-session.ts" },
    outdir: "dist",
    outExtension: { ".js": ".cjs" },
    banner: { js: "(function (exports, require, module, __filename, __dirname) {" }, // see bin/nixgate.cjs
    footer: { js: "})" },
    define: { NIXGATE_VERSION: JSON.stringify(version) },
    plugins: [{ name: "apart", setup: keepApart }],
  });
  for (const name of APART) {
    const entry = ENTRIES[name] ?? { entryPoints: [name] };
    await build({ ...common, ...entry, outfile: `dist/${fileOf(name)}` });
  }
  // bin/nixgate takes dist/node without checking its version. A package creates that link for its own Node.js.
  rmSync("dist/node", { force: true });
  symlinkSync(process.execPath, "dist/node");

  for (const name of readdirSync("dist").filter((it) => it.endsWith(".cache"))) rmSync(`dist/${name}`);
  const environment = { ...process.env };
  for (const name of ["NODE_OPTIONS", "NODE_PATH"]) delete environment[name];
  spawnSync(process.execPath, ["scripts/code-cache.cjs"], { env: environment, stdio: ["ignore", "ignore", "inherit"] });
}
