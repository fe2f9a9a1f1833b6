import { expect, test } from "vitest";
import { accountsOf } from "../../../src/policy/accounts.ts";
import type { Policy, TeamLimits } from "../../../src/policy/policy.ts";
import { readPolicy } from "../../../src/policy/read-policy.ts";
import { renderSlices } from "../../../src/render/slices.ts";

async function policyOf(teamLimits: string, team = "alpha"): Promise<Policy> {
  const text = `schema = 1\nteam = "${team}"\n[session]\nmax_concurrent = 10\n[limits]\nMemoryMax = "1G"\n[team_limits]\n${teamLimits}\n`;
  const read = await readPolicy(text, `/etc/nixgate/policies/${team}.toml`);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.value;
}

const uids = new Map([
  ["nix-alpha", 990],
  ["beta", 991],
  ["nix-beta", 992],
  ["gamma", 0],
]);
const render = async (...policies: Promise<Policy>[]) =>
  renderSlices(await Promise.all(policies), accountsOf, (account) => uids.get(account));
const settings = (text = "") => text.split("\n").filter((line) => line !== "" && !line.startsWith("#"));

test.each<[keyof TeamLimits, string, string]>([
  ["TasksMax", "1000", `TasksMax=${1000 + 10 * 24 + 32}`],
  ["MemoryMax", '"8000M"', `MemoryMax=${8000 + 10 * 96 + 64}M`],
  ["MemoryHigh", '"8000M"', `MemoryHigh=${8000 + 10 * 96 + 64}M`],
  ["MemoryMax", '"infinity"', "MemoryMax=infinity"],
  ["TasksMax", '"infinity"', "TasksMax=infinity"],
  ["MemorySwapMax", '"0"', "MemorySwapMax=0"],
  ["CPUQuota", '"400%"', "CPUQuota=400%"],
  ["CPUWeight", "50", "CPUWeight=50"],
  ["IOWeight", "50", "IOWeight=50"],
])("%s = %s becomes %s: memory and tasks have room for nixgate itself", async (name, value, line) => {
  const { files, omitted } = await render(policyOf(`${name} = ${value}`));
  expect(omitted).toEqual([]);
  expect(files.map(({ path }) => path)).toEqual(["/etc/systemd/system/user-990.slice.d/50-nixgate.conf"]);
  expect(settings(files[0]?.text)).toEqual(["[Slice]", line]);
});

test("each account of a team gets its file, and the file names the processes that it bounds", async () => {
  const { files } = await render(policyOf("TasksMax = 1000", "beta"));
  expect(files.map(({ path }) => path)).toEqual([
    "/etc/systemd/system/user-991.slice.d/50-nixgate.conf",
    "/etc/systemd/system/user-992.slice.d/50-nixgate.conf",
  ]);
  expect(files[1]?.text).toContain("all processes of the account nix-beta (uid 992) together");
  expect(files[1]?.text).toContain("They do not apply to nix-daemon's work");
});

test.each([
  ["a team without limits", policyOf(""), "nothing bounds it as a whole"],
  ["an account that does not exist", policyOf("TasksMax = 1000", "delta"), "no account delta or nix-delta"],
  ["root", policyOf("TasksMax = 1000", "gamma"), "is root, whose slice is not to be limited"],
])("%s gets no file, and a comment has the remedy", async (_, policy, about) => {
  const { files, omitted } = await render(policy);
  expect(files).toEqual([]);
  expect(omitted).toEqual([{ about: expect.stringContaining(about), fix: expect.any(String) }]);
});
