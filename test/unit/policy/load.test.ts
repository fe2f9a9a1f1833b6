import { mkdirSync, symlinkSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { loadTeam } from "../../../src/policy/load.ts";
import { loadAll } from "../../../src/policy/load-all.ts";
import { readHostConfig } from "../../../src/policy/read-host-config.ts";
import { teamName } from "../../../src/units/ids.ts";
import { configFolder, files, HOST } from "../../support/config-folder.ts";
import { exampleKey } from "../../support/keys.ts";

const ALPHA = teamName("alpha") ?? expect.unreachable();
const policy = (team: string, rest = '[[allow]]\nendpoint = "store-serve-write"\n') =>
  `schema = 1\nteam = "${team}"\n${rest}`;
const member = (key: number, name = "ci") => `[[member]]\nname = "${name}"\nkeys = ["${exampleKey(key)}"]\n`;

describe("nixgate.toml", () => {
  test("has every default", async () => {
    expect(await readHostConfig("schema = 1", "/etc/nixgate/nixgate.toml")).toEqual({
      ok: true,
      problems: [],
      value: {
        scope: { manager: "user", require: true, confine: false },
        programs: {},
        log: {
          directory: "/var/log/nixgate",
          journald: true,
          onFailure: "refuse",
          maxRefusalsPerDay: 10_000,
          maxRefusalBytesPerDay: 16 * 1024 ** 2,
        },
        admission: {
          maxSessions: 200,
          minAvailableMemory: 1024 ** 3,
          maxLoadPerCpu: 8,
          minFreeLog: 64 * 1024 ** 2,
          maxPressure: {},
          minFreeStore: 0,
          minFreeStoreInodes: 0,
        },
        messages: {},
        ca: [],
      },
    });
  });

  test.each([
    ['[scope]\nmanager = "System"', '3: scope.manager: "System" is not known here'],
    ['[scope]\nrequire = "true"', '3: scope.require: "true" is not true or false'],
    ["[scope]\nconfine = true", "3: scope.confine: only root's systemd can confine a command"],
    ['[messages]\ncontact = "a\\nb"', '3: messages.contact: "a\\u{a}b" has a control character'],
    [`[messages]\ncontact = "${"x".repeat(201)}"`, "3: messages.contact: is longer than 200 characters"],
    ['[messages]\ncontact = ""', "3: messages.contact: is empty"],
    ['[programs]\nnix-store = "nix-store"', '3: programs.nix-store: "nix-store" is not a plain absolute path'],
    ['[programs]\nnix = "/usr/bin/nix"', "3: programs.nix: unknown key"],
    ['[log]\ndirectory = "/var/log/../x"', '3: log.directory: "/var/log/../x" is not a plain absolute path'],
    ["[admission]\nmax_load_per_cpu = 0", "3: admission.max_load_per_cpu: 0 is not a number above zero"],
    ["[admission]\nmax_load_per_cpu = inf", "3: admission.max_load_per_cpu: Infinity is not a number above zero"],
    ['[admission]\nmax_cpu_pressure = "101%"', '3: admission.max_cpu_pressure: "101%" is above 100%'],
    ["[admission]\nmax_memory_pressure = 60", '3: admission.max_memory_pressure: "60" lacks its %'],
    ['[admission]\nmax_io_pressure = "0%"', '3: admission.max_io_pressure: "0%" is below 1%'],
    ['[admission]\nmin_free_store = "0.5G"', '3: admission.min_free_store: "0.5G" is not a whole number'],
    ['[admission]\nmin_free_store_inodes = "1M"', '3: admission.min_free_store_inodes: "1M" is not a whole number'],
    ["[admission]\nmax_sessions = 0", "3: admission.max_sessions: 0 would let nothing run"],
  ])("refuses %j", async (lines, problem) => {
    const { problems } = await readHostConfig(`schema = 1\n${lines}`, "/etc/nixgate/nixgate.toml");
    expect(problems.map(({ line, message }) => `${line}: ${message}`)).toEqual([problem]);
  });

  test("reads the bounds of pressure and of the store's file system", async () => {
    const text = `schema = 1
[admission]
max_cpu_pressure = "80%"
max_io_pressure = "12.5%"
min_free_store = "5%"
min_free_store_inodes = 1000`;
    expect(await readHostConfig(text, "/etc/nixgate/nixgate.toml")).toMatchObject({
      value: { admission: { maxPressure: { cpu: 80, io: 12.5 }, minFreeStore: "5%", minFreeStoreInodes: 1000 } },
    });
  });

  test.each(["", "schema = 2", 'schema = "1"'])("refuses a file of another layout: %j", async (text) => {
    expect(await readHostConfig(text, "x.toml")).toMatchObject({ ok: false, problems: [{ line: 1 }] });
  });
});

describe("loading one team", () => {
  test("gives the host, the policy, and where that came from", async () => {
    const dir = configFolder({ "nixgate.toml": HOST, "policies/alpha.toml": policy("alpha") });
    expect(await loadTeam(files, dir, ALPHA)).toMatchObject({
      ok: true,
      host: { programs: { "nix-store": "/usr/bin/nix-store" } },
      policy: { team: "alpha" },
      source: { path: `${dir}/policies/alpha.toml`, sha256: expect.stringMatching(/^[0-9a-f]{64}$/) },
    });
  });

  test("does not look at other teams", async () => {
    const dir = configFolder({
      "nixgate.toml": HOST,
      "policies/alpha.toml": policy("alpha"),
      "policies/beta.toml": "?",
    });
    expect(await loadTeam(files, dir, ALPHA)).toMatchObject({ ok: true });
  });

  test.each([
    ["no such team", { "nixgate.toml": HOST }, "unknown-team", "E_CONFIG_UNKNOWN_TEAM"],
    ["no nixgate.toml", { "policies/alpha.toml": policy("alpha") }, "policy-invalid", "E_CONFIG_MISSING"],
    [
      "a policy with a problem",
      { "nixgate.toml": HOST, "policies/alpha.toml": "x = 1" },
      "policy-invalid",
      "E_CONFIG_INVALID",
    ],
    [
      "a host with a problem",
      { "nixgate.toml": "x = 1", "policies/alpha.toml": policy("alpha") },
      "policy-invalid",
      "E_CONFIG_INVALID",
    ],
    [
      "two forms of a policy",
      { "nixgate.toml": HOST, "policies/alpha.toml": policy("alpha"), "policies/alpha.json": "{}" },
      "policy-invalid",
      "E_CONFIG_INVALID",
    ],
    [
      "an endpoint without its program",
      { "nixgate.toml": "schema = 1", "policies/alpha.toml": policy("alpha") },
      "policy-invalid",
      "E_CONFIG_INVALID",
    ],
  ])("refuses %s", async (_, contents, reason, code) => {
    const loaded = await loadTeam(files, configFolder(contents as Record<string, string>), ALPHA);
    expect(loaded).toMatchObject({ ok: false, reason, error: { code, exitStatus: 78, hint: expect.any(String) } });
  });

  test("knows the host's log even where the policy is of no use", async () => {
    const dir = configFolder({ "nixgate.toml": HOST, "policies/alpha.toml": "x = 1" });
    const loaded = await loadTeam(files, dir, ALPHA);
    expect(loaded).toMatchObject({
      host: { log: { directory: "/var/log/nixgate" } },
      source: { path: `${dir}/policies/alpha.toml` },
    });
    expect(loaded.ok ? "" : loaded.error.message).toBe(
      `${dir}/policies/alpha.toml:1: schema: is missing (and 2 more: run nixgate check)`,
    );
  });

  test("says what a missing nixgate.toml must hold", async () => {
    const loaded = await loadTeam(files, configFolder({}), ALPHA);
    expect(loaded.ok ? "" : loaded.error.hint).toMatch(/write .*nixgate.toml; the least it needs is: schema = 1/);
  });

  test("refuses a policy in a place that is not trusted, and does not call the team unknown", async () => {
    const dir = configFolder({ "nixgate.toml": HOST });
    mkdirSync(`${dir}/policies`);
    symlinkSync("/dev/null", `${dir}/policies/alpha.toml`);
    expect(await loadTeam(files, dir, ALPHA)).toMatchObject({
      reason: "policy-invalid",
      error: { code: "E_CONFIG_REFUSED" },
    });
  });
});

describe("seen together", () => {
  const messages = async (contents: Record<string, string>) => {
    const dir = configFolder(contents);
    const { problems } = await loadAll(files, dir);
    return problems.map((p) =>
      `${p.path.slice(dir.length + 1)}:${p.line}: ${p.severity}: ${p.message}`.replaceAll(dir, ""),
    );
  };

  test("policies that do not disturb each other are fine", async () => {
    const contents = {
      "nixgate.toml": HOST,
      "policies/alpha.toml": policy("alpha", member(1)),
      "policies/beta.toml": policy("beta", member(2)),
    };
    expect(await messages(contents)).toEqual([]);
  });

  test("a team that was to have a store of its own is not let into the host's", async () => {
    const own = `${policy("alpha")}[store]\nmode = "dedicated"\nroot = "/srv/alpha"\n`;
    expect(await messages({ "nixgate.toml": HOST, "policies/alpha.toml": own })).toEqual([
      expect.stringMatching(
        /^policies\/alpha\.toml:\d+: error: store\.mode: this version serves no store of a team's own/,
      ),
    ]);
  });

  test("an endpoint needs its program on the host", async () => {
    expect(await messages({ "nixgate.toml": "schema = 1", "policies/alpha.toml": policy("alpha") })).toEqual([
      "policies/alpha.toml:4: error: allow[0].endpoint: the host names no program nix-store",
    ]);
  });

  test("io is never delegated to a user manager", async () => {
    const alpha = policy("alpha", "[limits]\nIOWeight = 10\n[team_limits]\nIOWeight = 20\n");
    expect(await messages({ "nixgate.toml": HOST, "policies/alpha.toml": alpha })).toEqual([
      expect.stringMatching(/alpha.toml:4: error: limits.IOWeight: systemd never delegates io/),
      expect.stringMatching(/alpha.toml:6: error: team_limits.IOWeight: systemd never delegates io/),
    ]);
    expect(
      await messages({ "nixgate.toml": `${HOST}[scope]\nmanager = "system"`, "policies/alpha.toml": alpha }),
    ).toEqual([]);
  });

  test("without systemd a warning names each limit that is lost", async () => {
    const alpha = policy("alpha", '[limits]\nMemoryHigh = "1G"\n[team_limits]\nTasksMax = 999\n');
    const contents = { "nixgate.toml": `${HOST}[scope]\nmanager = "none"`, "policies/alpha.toml": alpha };
    expect(await messages(contents)).toEqual([
      expect.stringMatching(
        /alpha.toml:3: warning: .*each process alone.*not applied at all: limits.MemoryHigh, team_limits.TasksMax$/,
      ),
    ]);
    expect(await loadTeam(files, configFolder(contents), ALPHA)).toMatchObject({ ok: true });
  });

  test("a key belongs to one member of one team", async () => {
    const same = {
      "nixgate.toml": HOST,
      "policies/alpha.toml": policy("alpha", member(1)),
      "policies/beta.toml": policy("beta", member(1, "x")),
    };
    expect(await messages(same)).toEqual([
      expect.stringMatching(
        /beta.toml:5: error: member\[0\].keys\[0\]: the key SHA256:.* already belongs to "ci" of \/policies\/alpha.toml/,
      ),
    ]);
    const within = { "nixgate.toml": HOST, "policies/alpha.toml": policy("alpha", member(1) + member(1, "x")) };
    expect(await messages(within)).toEqual([expect.stringMatching(/alpha.toml:8: error: member\[1\]/)]);
  });

  test("an account serves one team", async () => {
    const both = { "nixgate.toml": HOST, "policies/ci.toml": policy("ci"), "policies/nix-ci.toml": policy("nix-ci") };
    expect(await messages(both)).toEqual([
      'policies/nix-ci.toml:2: error: team: the account "nix-ci" already serves the team of /policies/ci.toml',
    ]);
  });

  test("a stray file is warned about, a hidden one and a missing folder of policies are told apart", async () => {
    const contents = { "nixgate.toml": HOST, "policies/alpha.toml~": "", "policies/.swp": "" };
    expect(await messages(contents)).toEqual(["policies/alpha.toml~:undefined: warning: is not read"]);
    expect(await messages({ "nixgate.toml": HOST })).toEqual(["policies:undefined: error: does not exist"]);
  });
});
