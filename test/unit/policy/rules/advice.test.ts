import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { check } from "../../../../src/commands/config/check.ts";
import { configFolder, files, HOST } from "../../../support/config-folder.ts";

const HEAD = 'schema = 1\nteam = "alpha"\n';

/** What `check` says of a policy with these rules, as a file, in a folder, and beside nixgate.toml: always the same. */
async function advice(...rules: readonly string[]): Promise<readonly string[]> {
  const policy = HEAD + rules.map((rule) => `[[allow]]\n${rule}\n`).join("");
  const dir = configFolder({ "nixgate.toml": HOST, "policies/alpha.toml": policy });
  const said = await Promise.all(
    [dir, `${dir}/policies`, `${dir}/policies/alpha.toml`].map(async (path) => {
      const { status, stdout } = await check.run(
        { positionals: [path], options: { json: true } },
        { files, now: Date.now },
      );
      expect(status).toBe(0);
      const { problems } = JSON.parse(`${stdout}`);
      return problems.map(
        (one: Record<string, string>) => `${one["line"]} ${one["severity"]}: ${one["message"]} → ${one["fix"]}`,
      );
    }),
  );
  expect(said[1]).toEqual(said[0]);
  expect(said[2]).toEqual(said[0]);
  return said[0] ?? [];
}
const custom = (request: readonly string[], run = ["/usr/bin/nix-store"]) =>
  `request = ${JSON.stringify(request)}\nrun = ${JSON.stringify(run)}`;

describe("check warns of", () => {
  test.each([
    [
      "a star",
      ["nix-store", "-r", "/nix/store/*.drv"],
      /^4 warning: allow\[0\]\.request\[2\]: the \* in "\/nix\/store\/\*\.drv" is an ordinary/,
    ],
    [
      "a variable",
      ["nix-store", "-r", "$1"],
      /request\[2\]: the \$ in "\$1" is an ordinary .* → write \{store-path\}, \{derivation\}/,
    ],
    ["braces without a meaning", ["nix-store", "-r", "{path}"], /request\[2\]: "\{path\}" has no meaning .* → /],
    ["a misspelt placeholder", ["nix-store", "-r", "{derivaton}"], /has no meaning .* → write \{derivation\}$/],
    [
      "a placeholder within a word",
      ["nix-store", "--root={store-path}"],
      /request\[1\]: \{store-path\} is a placeholder only as a whole word/,
    ],
    [
      "a first word with a space",
      ["nix-store -r"],
      /request\[0\]: "nix-store -r" is one word .* → write \["nix-store","-r"\]$/,
    ],
  ])("%s", async (_, request, expected) => {
    expect(await advice(custom(request))).toEqual([expect.stringMatching(expected)]);
  });

  test("braces in run without a meaning, but not of $ and * there, which programs may take", async () => {
    expect(await advice(custom(["a"], ["/opt/a", "{storepath}", "$HOME", "*"]))).toEqual([
      expect.stringMatching(
        /^5 warning: allow\[0\]\.run\[1\]: "\{storepath\}" has no meaning .* → write \{store-path\}$/,
      ),
    ]);
  });

  test.each([
    [["/usr/bin/env", "{store-path}"], "env"],
    [["/usr/bin/sudo", "nix-env", "--set", "{store-path}"], "sudo"],
    [["/bin/sh", "-c", 'exec "$0"', "{store-path}"], "sh"],
    [["/usr/bin/nix", "run", "{store-path}"], "nix run"],
  ])("a run that may execute the path: %j", async (run, name) => {
    expect(await advice(custom(["a", "{store-path}"], run))).toEqual([
      expect.stringContaining(`5 warning: allow[0].run: ${name} may execute {store-path}`),
    ]);
  });

  test.each([
    ["/usr/bin/sudo", /^5 warning: allow\[0\]\.run\[0\]: sudo cannot become another account: commands get no new /],
    ["/bin/su", /su cannot become another account/],
    ["/usr/bin/doas", /doas cannot become another account/],
    ["/usr/bin/pkexec", /pkexec cannot become another account/],
    ["/usr/bin/run0", /run0 has systemd start a program outside of the command's scope and limits/],
  ])("a run that wants another account: %s", async (program, words) => {
    expect(await advice(custom(["a"], [program, "-n", "/bin/true"]))).toEqual([expect.stringMatching(words)]);
  });

  test("store-serve alone, which no Nix of today asks for", async () => {
    expect(await advice('endpoint = "store-serve"', 'endpoint = "daemon-stdio"')).toEqual([
      '4 warning: allow[0].endpoint: no Nix since 2.0 asks for store-serve: it always asks for --serve --write → write endpoint = "store-serve-write" with read_only = true',
    ]);
    expect(await advice('endpoint = "store-serve"', 'endpoint = "store-serve-write"\nread_only = true')).toEqual([]);
  });

  test.each([
    ["local?root=/srv/it's", true],
    ['local?root=/srv/"a"', true],
    ["local?root=/srv/a\\b", true],
    ["local?root=/srv/a --process-ops", true],
    ["local?root=/srv/my store", false],
    ["local?root=/srv/a&state=/b", false],
  ])("a store that Nix since 2.20 cannot ask for: %s, %s", async (store, warned) => {
    const found = await advice(`endpoint = "daemon-stdio"\nstores = ["local", ${JSON.stringify(store)}]`);
    expect(found).toEqual(
      warned ? [expect.stringMatching(/^5 warning: allow\[0\]\.stores\[1\]: Nix since 2\.20 /)] : [],
    );
  });
});

test("check says nothing of placeholders in their place, of a literal path, and of the four examples", async () => {
  expect(
    await advice(custom(["nix-store", "-r", "{derivation}"], ["/usr/bin/nix-store", "-r", "{derivation}"])),
  ).toEqual([]);
  expect(await advice(custom(["nix", "nix-command flakes", "/nix/store"], ["/usr/bin/nix", "build"]))).toEqual([]);
  for (const name of ["ci", "mirror", "untrusted", "workstations"]) {
    const dir = configFolder({ [`${name}.toml`]: readFileSync(`policies/${name}.toml`, "utf8") });
    expect(await check.run({ positionals: [`${dir}/${name}.toml`], options: {} }, { files, now: Date.now })).toEqual({
      status: 0,
      stdout: "1 file checked: no errors, no warnings\n",
    });
  }
});
