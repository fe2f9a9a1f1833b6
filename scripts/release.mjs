// release.mjs VERSION: writes the version, dates the section of CHANGELOG.md, commits and tags. It does not push.
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const [version = ""] = process.argv.slice(2);
const fail = (message) => {
  console.error(`release: ${message}`);
  process.exit(64);
};
const run = (program, ...words) => {
  const { status, stdout } = spawnSync(program, words, { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  if (status !== 0) fail(`${[program, ...words].join(" ")} failed`);
  return stdout;
};

if (!/^\d+\.\d+\.\d+$/.test(version)) fail(`"${version}" is not a version; usage: npm run release -- 0.2.0`);
if (run("git", "status", "--porcelain") !== "") fail("the work tree has changes; commit or stash them first");
if (run("git", "tag", "--list", `v${version}`) !== "") fail(`the tag v${version} is there already`);

const heading = `## ${version} – unreleased\n`;
const changes = readFileSync("CHANGELOG.md", "utf8");
if (!changes.includes(heading)) fail(`CHANGELOG.md has no section "${heading.trim()}"`);

run("npm", "run", "--silent", "check");
run("npm", "run", "--silent", "test:unit");

const today = new Date().toISOString().slice(0, 10);
writeFileSync("CHANGELOG.md", changes.replace(heading, `## ${version} – ${today}\n`));
run("npm", "version", version, "--no-git-tag-version", "--allow-same-version");
run("git", "add", "CHANGELOG.md", "package.json", "package-lock.json");
run("git", "commit", "--quiet", "--message", `Release ${version}`);
run("git", "tag", "--annotate", `v${version}`, "--message", `nixgate ${version}`);
console.log(`release: v${version} is committed and tagged; push it with git push --follow-tags`);
