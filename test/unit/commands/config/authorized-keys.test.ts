import { execFileSync } from "node:child_process";
import { describe, expect, test } from "vitest";
import { authorizedKeys } from "../../../../src/commands/config/authorized-keys.ts";
import { fingerprint, readPublicKey } from "../../../../src/policy/schema/public-key.ts";
import { configFolder, files, HOST } from "../../../support/config-folder.ts";
import { exampleKey } from "../../../support/keys.ts";

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
async function run(dir: string, options: Record<string, string> = {}, programPath = "/usr/bin/nixgate") {
  logged.length = 0;
  return authorizedKeys.run(
    { positionals: [], options: { "config-dir": dir, ...options } },
    {
      ...{ files, programPath, shimPath: "/usr/bin/nixgate-shim" },
      tellLog: async (problems) => void logged.push(...problems.map(({ team, text }) => `${team} ${text}`)),
    },
  );
}
/** What the last call told the host's log. */
const logged: string[] = [];
const line = (dir: string, team: string, key: number, from = "") =>
  `restrict,${from}command="exec /usr/bin/nixgate session --team ${team} --member ci --key ${print(key)} --config-dir ${dir}" ${exampleKey(key)} ci@${team}\n`;
const print = (key: number) => {
  const read = readPublicKey(exampleKey(key));
  return "problem" in read ? "" : fingerprint(read);
};

test("each key is restricted to its own session, from where its member may come", async () => {
  const dir = configFolder(CONTENTS);
  expect(await run(dir)).toEqual({
    status: 0,
    stdout: line(dir, "alpha", 1, 'from="10.0.0.0/8,::1",') + line(dir, "beta", 2),
    stderr: "",
  });
});

test("under the system manager the supervisor's shim is forced", async () => {
  const host = `${HOST}[scope]\nmanager = "system"\n`;
  const { stdout } = await run(configFolder({ ...CONTENTS, "nixgate.toml": host }), { user: "nix-beta" });
  expect(stdout).toBe(`restrict,command="exec /usr/bin/nixgate-shim beta ci,${print(2)}" ${exampleKey(2)} ci@beta\n`);
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

describe("a policy with an error, whose session will say 78", () => {
  const broken = (alpha: string) => configFolder({ ...CONTENTS, "policies/alpha.toml": alpha });
  const own = (dir: string, from = "") => line(dir, "alpha", 1, from);

  test.each([
    ["in another table", '[limits]\nMemoryMax = "128 M"'],
    ["of an unknown key", 'colour = "red"', "before"],
    ["in a rule", '[[allow]]\nendpoint = "stroe-serve"'],
    ["of another member's", '[[member]]\nname = "No Name"\nkeys = ["ssh-rsa nonsense"]'],
  ])(
    "an error %s does not keep a right member's key from being printed, with its from",
    async (_, more, at = "behind") => {
      const text = policy("alpha", 1, `from = ["10.0.0.0/8"]\n${at === "behind" ? more : ""}`);
      const dir = broken(at === "behind" ? text : text.replace("team", `${more}\nteam`));
      const { stdout, stderr } = await run(dir, { user: "nix-alpha" });
      expect(stdout).toBe(own(dir, 'from="10.0.0.0/8",'));
      expect(stderr).toContain("alpha.toml:");
      expect(logged[0]).toMatch(/^alpha \/.+\/alpha\.toml:\d+: .+; fix: /);
    },
  );

  test.each([
    ["its from is wrong", policy("alpha", 1, 'from = ["10.0.0.1/8"]')],
    ["its from is misspelt", policy("alpha", 1, 'form = ["10.0.0.0/8"]')],
    ["its key has options", policy("alpha", 1).replace("ssh-ed25519", "no-pty ssh-ed25519")],
    ["another key of it is wrong", policy("alpha", 1).replace('"]', '", "ssh-rsa x"]')],
    ["its name is no name", policy("alpha", 1).replace('"ci"', '"c i"')],
    ["its name is there twice", policy("alpha", 1, '[[member]]\nname = "ci"')],
    ["the file names another team", policy("beta", 1)],
    ["the file is no TOML", policy("alpha", 1, "]")],
    ["its key is another team's", policy("alpha", 2, "[limits]\nx = 1")],
  ])("where %s no key is printed, and the log says why", async (_, text) => {
    const dir = broken(text);
    expect(await run(dir, { user: "nix-alpha" })).toMatchObject({ status: 0, stdout: "" });
    expect(logged.length).toBeGreaterThan(0);
    expect(await run(dir, { user: "nix-beta" })).toMatchObject({ status: 0, stdout: line(dir, "beta", 2) });
    expect(logged).toEqual([]);
  });

  test("a problem that only nixgate.toml shows keeps no key back either", async () => {
    const dir = configFolder({
      ...CONTENTS,
      "nixgate.toml": "schema = 1\n",
      "policies/alpha.toml": policy("alpha", 1, '[[allow]]\nendpoint = "daemon-stdio"'),
    });
    expect(await run(dir, { user: "alpha" })).toMatchObject({ stdout: own(dir) });
    expect(logged).toEqual([expect.stringContaining("the host names no program nix-daemon")]);
  });

  test("one that this account may not read is in the log", async () => {
    const dir = configFolder(CONTENTS);
    const refused = {
      ...files,
      read: (path: string) =>
        path.endsWith("alpha.toml")
          ? ({
              kind: "refused",
              problem: {
                severity: "error",
                path,
                line: undefined,
                message: "cannot be read by this account",
                fix: "let the account read it",
              },
            } as const)
          : files.read(path),
    };
    const said: string[] = [];
    const tellLog = async (problems: readonly { readonly text: string }[]) =>
      void said.push(...problems.map(({ text }) => text));
    const ports = { files: refused, programPath: "/usr/bin/nixgate", shimPath: "", tellLog };
    const options = { "config-dir": dir, user: "nix-alpha" };
    expect(await authorizedKeys.run({ positionals: [], options }, ports)).toMatchObject({ status: 0, stdout: "" });
    expect(said).toEqual([expect.stringMatching(/alpha\.toml: cannot be read by this account; fix: /)]);
  });

  test("so are policies that cannot be read at all, and of many errors the first few", async () => {
    await expect(run(configFolder({ "nixgate.toml": HOST }), { user: "nix-alpha" })).rejects.toThrow();
    expect(logged).toEqual([expect.stringMatching(/^nix-alpha .+\/policies: does not exist; fix: /)]);
    const many = Array.from({ length: 20 }, (_, index) => `k${index} = 1`).join("\n");
    await run(broken(policy("alpha", 1, `[limits]\n${many}`)), { user: "nix-alpha" });
    expect(logged).toHaveLength(5);
  });
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
    stderr: expect.stringContaining("already belongs to"),
  });
});

test("a warning about a policy keeps no key back", async () => {
  const text = policy("alpha", 1, '[[allow]]\nrequest = ["x", "*"]\nrun = ["/bin/true"]');
  const dir = configFolder({ ...CONTENTS, "policies/alpha.toml": text });
  expect(await run(dir, { user: "nix-alpha" })).toMatchObject({ stdout: line(dir, "alpha", 1), stderr: "" });
  expect(logged).toEqual([]);
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

test.each([
  ["2027-03-01", "20270228235959Z"],
  ["2027-03-01T12:00:00+02:00", "20270301095959Z"],
  ["1969-01-01", "19700101000001Z"],
])("a member's access until %s ends for sshd after the second %s", async (until, last) => {
  const dir = configFolder({ "nixgate.toml": HOST, "policies/alpha.toml": policy("alpha", 1, `until = ${until}`) });
  const { stdout } = await run(dir, { user: "nix-alpha" });
  expect(stdout).toBe(line(dir, "alpha", 1, `expiry-time="${last}",`));
});
