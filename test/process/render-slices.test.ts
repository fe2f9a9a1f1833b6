import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, renameSync, statSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { expect, test } from "vitest";
import { nixgate } from "../support/nixgate.ts";
import { type Workplace, workplace } from "../support/workplace.ts";

/** A team named like an account that every Unix has. */
const TEAM = "daemon";
const uid = spawnSync("id", ["-u", TEAM], { encoding: "utf8" }).stdout.trim();
const FILE = `/etc/systemd/system/user-${uid}.slice.d/50-nixgate.conf`;

function place(): Workplace {
  const made = workplace();
  made.edit("nixgate.toml", '"none"', '"user"');
  made.edit("policies/alpha.toml", 'team = "alpha"', `team = "${TEAM}"`);
  made.edit("policies/alpha.toml", /$/, '\n[team_limits]\nTasksMax = 1024\nMemoryMax = "8G"\nCPUQuota = "400%"\n');
  renameSync(join(made.config, "policies/alpha.toml"), join(made.config, `policies/${TEAM}.toml`));
  return made;
}

const render = ({ config }: Workplace, ...words: string[]) =>
  nixgate(["render", "slices", "--config-dir", config, ...words]);

test("the text heads each file with its path, and says what to do", async () => {
  const { status, stdout, stderr } = await render(place());
  expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
  expect(stdout.toString()).toContain(`\n# ${FILE}\n`);
  expect(stdout.toString()).toContain("systemctl daemon-reload");
  expect(stdout.toString()).toMatch(/^\[Slice\]\nTasksMax=1248\nMemoryMax=9024M\nCPUQuota=400%$/m);
});

test("--output writes the same text, and overwrites only with --force", async () => {
  const own = place();
  const written = join(own.folder, "out", FILE);
  const { status, stdout } = await render(own, "--output", join(own.folder, "out"));
  expect({ status, stdout: stdout.toString() }).toEqual({ status: 0, stdout: `${written}\n` });
  expect((await render(own)).stdout.toString()).toContain(readFileSync(written, "utf8"));
  expect(statSync(written).mode & 0o777).toBe(0o644);
  writeFileSync(written, "# mine\n");
  const refused = await render(own, "--output", join(own.folder, "out"));
  expect({ status: refused.status, stderr: refused.stderr }).toEqual({
    status: 73,
    stderr: expect.stringContaining(`${written}: exists already\nnixgate: compare it, then overwrite it with --force`),
  });
  expect(readFileSync(written, "utf8")).toBe("# mine\n");
  expect((await render(own, "--output", join(own.folder, "out"), "--force")).status).toBe(0);
  expect(readFileSync(written, "utf8")).toContain("TasksMax=1248");
});

test.each([[[]], [["--force"]]])("a link in a file's place is never followed (%j)", async (words) => {
  const own = place();
  const [written, victim] = [join(own.folder, "out", FILE), join(own.folder, "victim")];
  mkdirSync(dirname(written), { recursive: true });
  writeFileSync(victim, "untouched");
  symlinkSync(victim, written);
  await render(own, "--output", join(own.folder, "out"), ...words);
  expect(readFileSync(victim, "utf8")).toBe("untouched");
});

test("nothing is rendered from a policy with an error", async () => {
  const own = place();
  own.edit(`policies/${TEAM}.toml`, "TasksMax = 1024", 'TasksMax = "many"');
  const { status, stdout } = await render(own, "--output", join(own.folder, "out"));
  expect({ status, stdout: stdout.length }).toEqual({ status: 78, stdout: 0 });
  expect(existsSync(join(own.folder, "out"))).toBe(false);
});

test.each([
  ["system", "slices of root's"],
  ["none", "there are no slices"],
])('under manager = "%s" the text says what that means', async (manager, words) => {
  const own = place();
  own.edit("nixgate.toml", '"user"', `"${manager}"`);
  expect((await render(own)).stdout.toString()).toContain(words);
});

const analyze = (path: string) => spawnSync("systemd-analyze", ["verify", "--man=no", path], { encoding: "utf8" });
const canAnalyze = spawnSync("systemd-analyze", ["--version"]).status === 0;

test.skipIf(!canAnalyze)(
  "systemd accepts it, and would have said what it does not (needs systemd-analyze)",
  async () => {
    const own = place();
    await render(own, "--output", own.folder);
    const units = join(own.folder, "etc/systemd/system");
    const slice = join(units, `user-${uid}.slice`);
    writeFileSync(slice, "[Slice]\n");
    expect(analyze(slice)).toMatchObject({ status: 0, stderr: "" });
    writeFileSync(join(units, `user-${uid}.slice.d/60-wrong.conf`), "[Slice]\nTasksMaxx=1\n");
    expect(analyze(slice).stderr).toContain("Unknown key");
  },
);
