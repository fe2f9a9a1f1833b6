import { expect, test } from "vitest";
import { authorizedPrincipals } from "../../../../src/commands/config/authorized-principals.ts";
import { check } from "../../../../src/commands/config/check.ts";
import { fingerprintsOf } from "../../../../src/policy/rules/certificates.ts";
import { configFolder, files, HOST } from "../../../support/config-folder.ts";
import { exampleKey } from "../../../support/keys.ts";

const HEAD = 'schema = 1\nteam = "alpha"\nallow = [{ endpoint = "daemon-stdio" }]\n';
const CA = `[[ca]]\nkeys = ["${exampleKey(9)} ca"]\n`;
const member = (lines: string, name = "ci") => `[[member]]\nname = "${name}"\n${lines}\n`;

async function checked(policy: string, host = HOST, beta?: string): Promise<readonly string[]> {
  const more = beta === undefined ? {} : { "policies/beta.toml": beta };
  const dir = configFolder({ "nixgate.toml": host, "policies/alpha.toml": HEAD + policy, ...more });
  const { stdout = "" } = await check.run({ positionals: [dir], options: {} }, { files, now: Date.now });
  return stdout.split("\n").filter((line) => line.includes("policies/alpha.toml:"));
}

test.each([
  ["ci alpha", '"ci alpha" has a space'],
  ["ci-*", '"ci-*" is a pattern, and sshd compares principals letter by letter'],
  ["ci,eve", '"ci,eve" is not a principal of letters'],
  ['ci\\"', "is not a principal of letters"],
  ["#ci", '"#ci" is not a principal of letters'],
  ["", '"" is not a principal of letters'],
])("the principal %j is refused in one line", async (name, message) => {
  const [line, more] = await checked(CA + member(`principals = ["${name}"]`));
  expect([line, more]).toEqual([expect.stringContaining(message), undefined]);
});

test("a principal is one member's, and needs a CA of the team or of the host", async () => {
  expect(await checked(CA + member('principals = ["ci"]') + member('principals = ["ci"]', "ada"))).toEqual([
    expect.stringContaining('member[1].principals[0]: "ci" is already a principal of "ci"'),
  ]);
  expect(await checked(member('principals = ["ci"]'))).toEqual([
    expect.stringContaining("warning: member[0].principals: no [[ca]] is listed, so no certificate is accepted"),
  ]);
  expect(await checked(CA + member('principals = ["ci"]'))).toEqual([]);
  expect(await checked(member('principals = ["ci"]'), HOST + CA)).toEqual([]);
});

test("a CA's key that is a member's key, too, is an error: of the team, of the host or of another team", async () => {
  const own = member(`keys = ["${exampleKey(9)}"]`);
  const said = 'member[0].keys[0]: the key of "ci" is the CA\'s key of ';
  expect(await checked(CA + own)).toEqual([expect.stringContaining(`${said}/`)]);
  expect(await checked(own, HOST + CA)).toEqual([expect.stringContaining(`${said}nixgate.toml`)]);
  expect(await checked(own, HOST, HEAD.replace("alpha", "beta") + CA)).toEqual([
    expect.stringContaining("/policies/beta.toml"),
  ]);
});

test("principals are printed for the CAs of the team and of the host, and for no other", async () => {
  const [host = "", team = "", other = ""] = fingerprintsOf([exampleKey(8), exampleKey(9), exampleKey(7)]);
  const dir = configFolder({
    "nixgate.toml": `${HOST}[[ca]]\nkeys = ["${exampleKey(8)}"]\n`,
    "policies/alpha.toml": HEAD + CA + member('principals = ["a", "b"]\nfrom = ["10.0.0.0/8"]\nuntil = 2027-03-01'),
    "policies/beta.toml": HEAD.replace("alpha", "beta") + member('principals = ["c"]'),
  });
  const print = async (options: Record<string, string>) => {
    const ports = {
      files,
      programPath: "/usr/bin/nixgate",
      shimPath: "/usr/bin/nixgate-shim",
      tellLog: async () => {},
    };
    const all = { key: other, serial: "17", "config-dir": dir, ...options };
    return (await authorizedPrincipals.run({ positionals: [], options: all }, ports)).stdout;
  };
  const line = (ca: string, principal: string) =>
    `restrict,expiry-time="20270228235959Z",from="10.0.0.0/8",command="exec /usr/bin/nixgate session --team alpha --member ci --key ${other} --certificate ${ca}:17 --config-dir ${dir}" ${principal}\n`;
  expect(await print({ user: "nix-alpha", ca: team })).toBe(line(team, "a") + line(team, "b"));
  expect(await print({ user: "nix-alpha", ca: host })).toBe(line(host, "a") + line(host, "b"));
  expect(await print({ user: "nix-beta", ca: team })).toBe("");
  expect(await print({ user: "nix-alpha", ca: other })).toBe("");
  await expect(print({ user: "nix-alpha" })).rejects.toThrow("needs --key, --ca and --serial");
});
