import { readdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nixgate } from "../support/nixgate.ts";
import { workplace } from "../support/workplace.ts";

const render = async (...words: string[]) => {
  const { status, stdout, stderr } = await nixgate(["render", "policy", ...words]);
  return { status, stdout: `${stdout}`, stderr };
};
const EXAMPLES = readdirSync("policies").map((name) => name.replace(/\.toml$/, ""));

test("without an example it lists each of policies/ with its description", async () => {
  const { status, stdout } = await render();
  expect(status).toBe(0);
  const rows = stdout.trimEnd().split("\n");
  expect(rows.map((row) => row.split(" ")[0])).toEqual(EXAMPLES);
  expect(rows.every((row) => /^\S+ {2,}\w.+/.test(row))).toBe(true);
});

test.each(EXAMPLES)("%s for a team of another name is a policy without an error", async (example) => {
  const { config } = workplace();
  const { status, stdout, stderr } = await render(example, "--team", "my-builders");
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout).toContain("/etc/nixgate/policies/my-builders.toml");
  rmSync(join(config, "policies/alpha.toml"));
  writeFileSync(join(config, "policies/my-builders.toml"), stdout);
  const checked = await nixgate(["check", config]);
  expect({ status: checked.status, said: `${checked.stdout}${checked.stderr}` }).toMatchObject({ status: 0 });
  const explained = await nixgate(["explain", "--team", "my-builders", "--config-dir", config, "--", "id"]);
  expect({ status: explained.status, stderr: explained.stderr }).toMatchObject({ status: 77 });
});

test.each([
  [["workstation"], "did you mean workstations?"],
  [["../package"], 'there is no example "../package"'],
  [["ci", "--team", 'x"\nteam'], "not a team's name"],
  [["--team", "alpha"], "--team needs an example"],
])("%j is refused", async (words, said) => {
  const { status, stdout, stderr } = await render(...words);
  expect({ status, stdout }).toEqual({ status: 64, stdout: "" });
  expect(stderr).toContain(said);
});
