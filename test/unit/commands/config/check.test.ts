import { chmodSync } from "node:fs";
import { expect, test } from "vitest";
import { check } from "../../../../src/commands/config/check.ts";
import { configFolder, files, HOST } from "../../../support/config-folder.ts";
import { exampleKey } from "../../../support/keys.ts";

const ALPHA = `schema = 1
team = "alpha"
allow = [{ endpoint = "daemon-stdio" }]
[[member]]
name = "ci"
keys = ["${exampleKey(1)}"]
`;
const run = (positionals: string[], options: Record<string, string | boolean> = {}) =>
  Promise.resolve(check.run({ positionals, options }, { files, now: Date.now }));

test("a configuration without a problem ends with 0 and one line", async () => {
  const dir = configFolder({ "nixgate.toml": HOST, "policies/alpha.toml": ALPHA });
  expect(await run([], { "config-dir": dir })).toEqual({
    status: 0,
    stdout: "2 files checked: no errors, no warnings\n",
  });
  expect(await run([`${dir}/`])).toMatchObject({ status: 0 });
});

test("every problem stands in its line, with its fix under it", async () => {
  const dir = configFolder({
    "nixgate.toml": `${HOST}\n[log]\njornald = true\n`,
    "policies/alpha.toml": `${ALPHA}frm = []\n`,
  });
  expect(await run([dir])).toEqual({
    status: 78,
    stdout: `${dir}/nixgate.toml:7: log.jornald: unknown key
    fix: write journald
${dir}/policies/alpha.toml:7: member[0].frm: unknown key
    fix: write from
2 files checked: 2 errors, no warnings
`,
  });
});

test("a single policy, a single nixgate.toml and a folder of policies can be checked", async () => {
  const dir = configFolder({
    "nixgate.toml": HOST,
    "policies/alpha.toml": ALPHA,
    "policies/beta.toml": ALPHA.replace("alpha", "beta"),
  });
  expect(await run([`${dir}/policies/alpha.toml`, `${dir}/nixgate.toml`])).toEqual({
    status: 0,
    stdout: "2 files checked: no errors, no warnings\n",
  });
  expect(await run([`${dir}/policies`])).toMatchObject({
    status: 78,
    stdout: expect.stringContaining("beta.toml:6: member[0].keys[0]: the key SHA256:"),
  });
});

test("warnings do not fail it", async () => {
  const dir = configFolder({ "nixgate.toml": `${HOST}[scope]\nmanager = "none"`, "policies/alpha.toml": ALPHA });
  expect(await run([dir])).toMatchObject({
    status: 0,
    stdout: expect.stringMatching(/warning: .*2 files checked: no errors, 1 warning\n$/s),
  });
});

test("--json is one document with the same problems", async () => {
  const dir = configFolder({ "nixgate.toml": "schema = 2", "policies/alpha.toml": ALPHA });
  const { status, stdout = "" } = await run([dir], { json: true });
  expect([status, JSON.parse(stdout)]).toEqual([
    78,
    {
      ok: false,
      files: 2,
      errors: 1,
      warnings: 0,
      problems: [
        {
          severity: "error",
          path: `${dir}/nixgate.toml`,
          line: 1,
          message: "schema: 2 is not a version of this file that nixgate knows",
          fix: "write schema = 1",
        },
      ],
    },
  ]);
});

test("a path that does not exist or is not trusted is an error with its fix", async () => {
  const dir = configFolder({ "nixgate.toml": HOST, "policies/alpha.toml": ALPHA });
  expect(await run([`${dir}/none`])).toMatchObject({
    status: 78,
    stdout: expect.stringContaining(`${dir}/none: does not exist\n`),
  });
  chmodSync(`${dir}/policies`, 0o777);
  expect(await run([dir])).toMatchObject({
    status: 78,
    stdout: expect.stringContaining(`fix: chmod go-w ${dir}/policies`),
  });
});
