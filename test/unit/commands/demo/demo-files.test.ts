import { execFileSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { demoPolicy, findPrograms, hostFile, TEAM } from "../../../../src/commands/demo/demo-files.ts";
import { loadTeam } from "../../../../src/policy/load.ts";
import { teamName } from "../../../../src/units/ids.ts";
import { shellWord } from "../../../../src/units/text.ts";
import { configFolder, files } from "../../../support/config-folder.ts";

const example = readFileSync(`policies/${TEAM}.toml`, "utf8");
const STORE = { NIX_REMOTE: "local?root=/tmp/x" };

test.each(["user", "none"] as const)("the demo's files are a sound configuration under manager %s", async (manager) => {
  const host = { manager, nixStore: "/usr/bin/nix-store", nixDaemon: "/usr/bin/nix-daemon", log: "/tmp/x/log" };
  const folder = configFolder({
    "nixgate.toml": hostFile(host),
    [`policies/${TEAM}.toml`]: demoPolicy(example, STORE, manager),
  });
  const loaded = await loadTeam(files, folder, teamName(TEAM)!);
  expect(loaded).toMatchObject({ ok: true, host: { scope: { manager } } });
  if (!loaded.ok) return;
  expect(loaded.policy.limits.TasksMax).toBe(manager === "user" ? 128 : 4096);
});

test("each rule of the example leads to the demo's own store", () => {
  const rules = demoPolicy(example, STORE, "user").split("[[allow]]").slice(1);
  expect(rules.length).toBeGreaterThan(1);
  for (const rule of rules) expect(rule).toContain('environment = { NIX_REMOTE = "local?root=/tmp/x" }');
});

test("names what is missing, and each Debian package once", () => {
  const here = (...names: string[]) => ({
    findProgram: (name: string) => (names.includes(name) ? `/usr/bin/${name}` : undefined),
  });
  expect(findPrograms(here("ssh", "ssh-keygen", "nix", "nix-hash"))).toEqual({
    missing: ["nix-store", "nix-daemon", "sshd"],
    packages: ["nix-bin", "openssh-server"],
  });
  expect(findPrograms({ findProgram: (name) => `/bin/${name}` })).toMatchObject({ found: { sshd: "/bin/sshd" } });
});

test.each(["plain", "", "two words", "it's", "$HOME `id` \\", "local?root=/x", "a\nb", "~", "ssh://builder"])(
  "what is shown of %j is read by sh as it was",
  (word) => {
    expect(execFileSync("sh", ["-c", `printf %s ${shellWord(word)}`], { encoding: "utf8" })).toBe(word);
  },
);
