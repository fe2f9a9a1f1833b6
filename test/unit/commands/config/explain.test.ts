import { expect, test } from "vitest";
import { explain } from "../../../../src/commands/config/explain.ts";
import type { Manager } from "../../../../src/policy/policy.ts";
import { readPolicy } from "../../../../src/policy/read-policy.ts";
import { hostConfig } from "../../../../src/policy/schema/defaults.ts";
import type { Configuration } from "../../../../src/session/configuration.ts";
import { makeSessionId } from "../../../../src/units/ids.ts";
import { readyConfiguration } from "../../../support/fake-ports.ts";

const POLICY = `schema = 1
team = "alpha"
[[allow]]
endpoint = "daemon-stdio"
[[allow]]
request = ["odd"]
run = ["/opt/odd words", "$HOME"]
[[allow]]
request = ["build", "{derivation}", "{store-path}"]
run = ["/opt/build", "{store-path}", "{derivation}"]
[limits]
TasksMax = 7
`;

const noLock: Configuration["lockOn"] = () => undefined;

/** What explain says of a request under a manager, without what the session's id and the command's environment make of it. */
async function explained(
  request: string,
  {
    manager = "system" as Manager,
    loop = false,
    json = false,
    missing = "",
    configDir = "",
    more = "",
    member = "",
    lockOn = noLock,
  } = {},
) {
  const read = await readPolicy(POLICY + more, "policies/alpha.toml");
  if (!read.ok) throw new Error(JSON.stringify(read.problems));
  const host = hostConfig({ schema: 1, programs: { "nix-daemon": "/opt/nix-daemon" } });
  const { status, stdout, stderr } = await explain.run(
    {
      options: { team: "alpha", loop, json, ...(member && { member }), ...(configDir && { "config-dir": configDir }) },
      positionals: [request],
    },
    {
      account: { name: "nix-alpha", uid: 990, home: "/home/nix-alpha" },
      holder: "/opt/nixgate-holder",
      problemWithProgram: (path) => (path === missing ? { message: "does not exist", fix: "install it" } : undefined),
      now: () => Date.parse("2026-11-30T00:00:00Z"),
      newSessionId: () => makeSessionId(0, new Uint8Array(10)),
      configure: async () => ({
        ...readyConfiguration({ host: { ...host, scope: { ...host.scope, manager } }, policy: read.value }),
        lockOn,
      }),
    },
  );
  return { status, stdout: stdout ?? "", stderr };
}

test("prints the rule that allows a request, the steps of the decision, the command line and the scope", async () => {
  const { status, stdout } = await explained("nix-daemon --stdio");
  expect(status).toBe(0);
  const parts = stdout.trimEnd().split("\n\n");
  expect(parts.map((part) => part.split("\n")[0])).toEqual([
    "allowed by allow[0] as daemon-stdio: /opt/nix-daemon --stdio",
    "steps of the decision:",
    "command line:",
    "environment:",
    expect.stringMatching(/^scope: nixgate-alpha-[0-9a-f-]{36}-1\.scope in nixgate-alpha\.slice$/),
    "its builds: those that the host's own nix-daemon does are outside of these limits",
  ]);
  expect(parts[1]).toContain("\n  allow[0]: ");
  expect(parts[2]).toContain("/opt/nix-daemon --stdio");
  expect(parts[3]).toContain("\n  LOGNAME=nix-alpha");
  expect(parts[4]).toContain("\n  TasksMax=7");
});

test("says that builds are within the limits, with the settings of their daemon, where the policy bounds them", async () => {
  const more = '\n[builds]\nbounded_by = "session"\nmax_jobs = 3\n';
  const { stdout } = await explained("nix-daemon --stdio", { more });
  const [head, ...settings] = stdout.trimEnd().split("\n\n").at(-1)?.split("\n") ?? [];
  expect(head).toMatch(
    /^its builds: nixgate-alpha-.*-1-builds\.service in nixgate-alpha-.*\.slice, within the same limits/,
  );
  expect(settings).toContain("  max-jobs = 3");
  const { stdout: document } = await explained("nix-daemon --stdio", { more, json: true });
  expect(JSON.parse(document)).toMatchObject({
    builds_bounded_by: "session",
    nix_conf: expect.stringContaining("max-jobs = 3"),
  });
});

test("says where there is no scope that limits go no further than rlimits do", async () => {
  const { stdout } = await explained("nix-daemon --stdio", { manager: "none" });
  expect(stdout).toContain("prlimit");
  expect(stdout).toMatch(/\nmanager = "none": no scope; limits are rlimits/);
  expect(stdout).not.toContain("\nscope: ");
});

test.each([
  ["rm -rf /", 77, "denied (not-allowlisted): "],
  ["nix-daemon 'unclosed", 65, "denied (malformed): "],
])("prints why %s is denied, and no command line", async (request, status, start) => {
  const said = await explained(request);
  expect(said.status).toBe(status);
  expect(said.stdout).toContain(start);
  expect(said.stdout).not.toContain("command line");
});

test("quotes words as sh would need them, and escapes what a terminal would obey", async () => {
  expect((await explained("odd")).stdout).toContain("'/opt/odd words' '$HOME'");
  const { stdout } = await explained("rm \u202e\u009b2J");
  expect(stdout).not.toMatch(/[\u202e\u009b]/);
});

test("knows the requests of a line loop", async () => {
  expect(await explained("echo started", { loop: true })).toMatchObject({
    status: 0,
    stdout: expect.stringContaining("allowed: nixgate itself answers `started`"),
  });
  expect((await explained("bash")).stdout).toBe(
    "a request for a shell: the session reads its requests as lines on stdin\n",
  );
  expect(JSON.parse((await explained("bash", { json: true })).stdout)).toMatchObject({ endpoint: "line-loop" });
});

test("says what each placeholder took, as the record will", async () => {
  const path = "/nix/store/0123456789abcdfghijklmnpqrsvwxyz-x";
  const request = `build ${path}.drv ${path}`;
  const { stdout } = await explained(request);
  expect(stdout).toContain(`allowed by allow[2] as custom: /opt/build ${path} ${path}.drv\n`);
  expect(stdout).toContain(
    `  allow[2]: exact request: the same words, {derivation} is ${path}.drv, {store-path} is ${path}\n`,
  );
  expect(JSON.parse((await explained(request, { json: true })).stdout)).toMatchObject({
    rule: "allow[2]",
    argv: ["/opt/build", path, `${path}.drv`],
    matched: [
      { placeholder: "{derivation}", word: `${path}.drv` },
      { placeholder: "{store-path}", word: path },
    ],
  });
  expect(JSON.parse((await explained("nix-daemon --stdio", { json: true })).stdout)).not.toHaveProperty("matched");
});

test("says that a session is refused whose program cannot be executed, for the host's own configuration", async () => {
  const missing = "/opt/nix-daemon";
  const { status, stdout } = await explained("nix-daemon --stdio", { missing });
  expect(status).toBe(78);
  expect(stdout).toContain("allowed by allow[0]");
  expect(stdout).toMatch(
    /\nbut the session is refused with 78: \/opt\/nix-daemon does not exist\n {4}fix: install it\n$/,
  );
  const json = await explained("nix-daemon --stdio", { missing, json: true });
  expect(JSON.parse(json.stdout)).toMatchObject({ decision: "allow", problem: "does not exist", fix: "install it" });
  expect((await explained("nix-daemon --stdio", { missing, configDir: "/srv/trial" })).status).toBe(0);
});

test("a member whose access has ended, and a locked one, are refused as the session would refuse them", async () => {
  const more = '[[member]]\nname = "ci"\nuntil = 2026-11-30\n';
  const ended = { status: 77, stdout: "", stderr: "nixgate: this member's access has ended\n" };
  expect(await explained("nix-daemon --stdio", { more, member: "ci" })).toEqual(ended);
  expect((await explained("nix-daemon --stdio", { more: more.replace("11-30", "12-01"), member: "ci" })).status).toBe(
    0,
  );
  const lockOn: Configuration["lockOn"] = ({ team, member }) =>
    `${team}/${member}` === "alpha/ci" ? { kind: "member", value: "alpha/ci", reason: "stolen" } : undefined;
  const locked = { status: 77, stderr: "nixgate: locked: ask the administrator\n" };
  expect(await explained("nix-daemon --stdio", { more, member: "ci", lockOn })).toMatchObject(locked);
});
