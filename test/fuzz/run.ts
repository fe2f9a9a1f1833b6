import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { fuzz } from "./fuzz.ts";
import { parsers } from "./parsers.ts";

const { values } = parseArgs({
  options: {
    cases: { type: "string", default: "100000" },
    seed: { type: "string" },
    only: { type: "string", default: "" },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
const folder = mkdtempSync(join(tmpdir(), "nixgate-fuzz-"));
const auth = `/tmp/sshauth.nixgate${process.pid}`;
console.log(`${values.cases} cases, --seed ${seed}`);
const all = (await parsers(folder)).filter(({ name }) => name.includes(values.only));
const found = await fuzz(all, Number(values.cases), seed);
for (const path of [folder, auth]) rmSync(path, { recursive: true, force: true });
console.log(found.length === 0 ? "nothing found" : found.join("\n"));
process.exitCode = found.length === 0 ? 0 : 1;
