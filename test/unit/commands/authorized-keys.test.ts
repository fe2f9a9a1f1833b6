import { execFileSync } from "node:child_process";
import { expect, test } from "vitest";
import { authorizedKeys } from "../../../src/commands/authorized-keys.ts";
import { fingerprint, readPublicKey } from "../../../src/policy/public-key.ts";
import { configFolder, files, HOST } from "../../support/config-folder.ts";
import { exampleKey } from "../../support/keys.ts";

const policy = (team: string, key: number, more = "") => `schema = 1
team = "${team}"
[[member]]
name = "ci"
keys = ["${exampleKey(key)} ci@${team}"]
${more}`;
const CONTENTS = {
  "nixgate.toml": HOST,
  "policies/alpha.toml": policy("alpha", 1, 'from = ["10.0.0.0/8", "::1"]'),
  "policies/beta.toml": policy("beta", 2),
};
const run = async (dir: string, options: Record<string, string> = {}, programPath = "/usr/bin/nixgate") =>
  authorizedKeys.run(
    { positionals: [], options: { "config-dir": dir, ...options } },
    { files, programPath, frontPath: "/usr/bin/nixgate-front" },
  );
const line = (dir: string, team: string, key: number, from = "") =>
  `restrict,${from}command="exec /usr/bin/nixgate session --team ${team} --member ci --config-dir ${dir}" ${exampleKey(key)} ci@${team}\n`;

test("each key is restricted to its own session, from where its member may come", async () => {
  const dir = configFolder(CONTENTS);
  expect(await run(dir)).toEqual({
    status: 0,
    stdout: line(dir, "alpha", 1, 'from="10.0.0.0/8,::1",') + line(dir, "beta", 2),
    stderr: "",
  });
});

test("under the system manager the supervisor's front is forced", async () => {
  const host = `${HOST}[scope]\nmanager = "system"\n`;
  const { stdout } = await run(configFolder({ ...CONTENTS, "nixgate.toml": host }), { user: "nix-beta" });
  expect(stdout).toBe(`restrict,command="exec /usr/bin/nixgate-front beta ci" ${exampleKey(2)} ci@beta\n`);
});

test.each([
  ["alpha", ["alpha"]],
  ["nix-alpha", ["alpha"]],
  ["nix-beta", ["beta"]],
  ["root", []],
  ["nix-", []],
  ["nix-nix-alpha", []],
  ["Alpha", []],
  ["", []],
])("the account %j gets the keys of %j", async (user, teams) => {
  const { stdout = "" } = await run(configFolder(CONTENTS), { user });
  expect([...stdout.matchAll(/--team (\S+)/g)].map(([, team]) => team)).toEqual(teams);
});

test("the fingerprint chooses one key, and is ssh-keygen's", async () => {
  const key = readPublicKey(exampleKey(2));
  const print = "problem" in key ? "" : fingerprint(key);
  expect(execFileSync("ssh-keygen", ["-lf", "-"], { input: exampleKey(2), encoding: "utf8" })).toContain(` ${print} `);
  const dir = configFolder(CONTENTS);
  expect(await run(dir, { fingerprint: print })).toMatchObject({ stdout: line(dir, "beta", 2) });
  expect(await run(dir, { fingerprint: `${print}=` })).toMatchObject({ stdout: "" });
});

test("a team with a problem is left out and told about, the others keep working", async () => {
  const dir = configFolder({ ...CONTENTS, "policies/alpha.toml": policy("alpha", 1, "frm = []") });
  const result = await run(dir);
  expect(result).toMatchObject({ status: 0, stdout: line(dir, "beta", 2) });
  expect(result.stderr).toBe(
    `nixgate: ${dir}/policies/alpha.toml:6: member[0].frm: unknown key\n    fix: write from\n`,
  );
});

test("a second owner of a key gets none", async () => {
  const dir = configFolder({ ...CONTENTS, "policies/beta.toml": policy("beta", 1) });
  expect(await run(dir)).toMatchObject({
    stdout: line(dir, "alpha", 1, 'from="10.0.0.0/8,::1",'),
    stderr: expect.stringContaining("is already that of"),
  });
});

test("policies that cannot be read are an error", async () => {
  await expect(run(configFolder({ "nixgate.toml": HOST }))).rejects.toMatchObject({
    code: "E_CONFIG_REFUSED",
    exitStatus: 78,
  });
});

test.each(["/usr/bin/nix gate", '/usr/bin/"', "nixgate", "/usr/bin/$(x)", "/a\nb"])(
  "the path %j does not get into a line",
  async (path) => {
    await expect(run(configFolder(CONTENTS), {}, path)).rejects.toMatchObject({ exitStatus: 64 });
    await expect(run(path)).rejects.toMatchObject({ exitStatus: 64 });
  },
);
