import { expect, test } from "vitest";
import { accountsOf } from "../../../src/policy/accounts.ts";
import type { HostConfig, Policy } from "../../../src/policy/policy.ts";
import { readHostConfig } from "../../../src/policy/read-host-config.ts";
import { readPolicy } from "../../../src/policy/read-policy.ts";
import { renderSshd } from "../../../src/render/sshd.ts";
import { sshdBlock } from "../../support/markdown.ts";

const uids = new Map([
  ["nix-alpha", 990],
  ["games", 5],
  ["nix-games", 991],
  ["solo", 992],
  ["root", 0],
]);

async function policyOf(team: string): Promise<Policy> {
  const read = await readPolicy(`schema = 1\nteam = "${team}"\n`, `/etc/nixgate/policies/${team}.toml`);
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.value;
}

async function hostOf(more: string): Promise<HostConfig> {
  const read = await readHostConfig(`schema = 1\n${more}`, "/etc/nixgate/nixgate.toml");
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  return read.value;
}

async function render(teams: readonly string[], { host = "", configDirectory = undefined as string | undefined } = {}) {
  const policies = await Promise.all(teams.map(policyOf));
  const places = { program: "/usr/local/bin/nixgate", configDirectory, accountsOf };
  return renderSshd(await hostOf(host), policies, { ...places, uidOf: (account) => uids.get(account) });
}

test("the block of docs/getting-started.md is the output for the defaults", async () => {
  const { files, omitted } = await render(["alpha"]);
  expect(omitted).toEqual([]);
  expect(files).toEqual([{ path: "/etc/ssh/sshd_config.d/10-nixgate.conf", text: sshdBlock("AuthorizedKeysCommand") }]);
});

test.each([
  ["an account with nix-", "alpha", "Match User nix-*\n", 0],
  ["an account without nix-", "solo", "Match User nix-*,solo\n", 0],
  ["a system account with the team's name beside the team's own", "games", "Match User nix-*\n", 0],
  ["no account", "later", "Match User nix-*\n", 1],
  ["root", "root", "Match User nix-*\n", 1],
])("a team with %s", async (_, team, line, left) => {
  const { files, omitted } = await render([team]);
  expect(files[0]?.text).toContain(line);
  expect(omitted).toHaveLength(left);
});

test("the folder of another configuration and the host's cap are in the block", async () => {
  const options = { host: "[admission]\nmax_sessions = 41\n", configDirectory: "/etc/other" };
  const text = (await render(["alpha"], options)).files[0]?.text;
  expect(text).toContain(" --fingerprint %f --config-dir /etc/other\n");
  expect(text).toContain("MaxStartups 21:30:41\n");
});
