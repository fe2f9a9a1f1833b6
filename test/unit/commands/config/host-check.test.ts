import { describe, expect, test } from "vitest";
import { check } from "../../../../src/commands/config/check.ts";
import type { HostLook } from "../../../../src/commands/config/host-look.ts";
import { versionIn } from "../../../../src/system/accounts/nix-look.ts";
import { rangeFileOf } from "../../../../src/system/kernel/host-look.ts";
import type { Bytes } from "../../../../src/units/quantities.ts";
import { configFolder, files, HOST } from "../../../support/config-folder.ts";
import { exampleKey } from "../../../support/keys.ts";

const GIB = 2 ** 30;
const NIX_DAEMON = "/usr/bin/nix-daemon";
const GONE = { message: "does not exist", fix: "install it" };
const ALPHA = `schema = 1
team = "alpha"
[[allow]]
endpoint = "daemon-stdio"
[[allow]]
request = ["gc"]
run = ["/opt/gc"]
[limits]
MemoryMax = "2G"
[team_limits]
MemoryMax = "4G"
[[member]]
name = "ci"
keys = ["${exampleKey(1)}"]
`;

const WITHOUT_KEYS = ALPHA.slice(0, ALPHA.indexOf("[[member]]"));

const SYSTEM = `${HOST}[scope]\nmanager = "system"\n`;
const BOUNDED = `${ALPHA}[builds]\nbounded_by = "session"\n`;

/** A host on which everything is as it should be. */
const SOUND: HostLook = {
  memory: (8 * GIB) as Bytes,
  uidOf: (account) => (account === "nix-alpha" ? 990 : undefined),
  problemWithProgram: () => undefined,
  controllers: ["cpu", "io", "memory", "pids"],
  isInstalled: () => true,
  problemWithFolder: () => undefined,
  keysAreFromPolicies: () => true,
  trustsCaAlone: () => false,
  loginShellOf: () => "/bin/sh",
  subordinateIds: () => undefined,
  nixVersion: () => undefined,
  reachesHostDaemon: () => undefined,
  pamReadsHome: () => false,
  ptraceScope: () => 1,
  showsInodes: () => true,
  pressure: () => 99,
  storeRoom: () => ({ bytes: { free: 0, all: 100 * GIB }, inodes: { free: 0, all: 1000 } }),
};

interface Given {
  readonly host?: string;
  readonly policy?: string;
  readonly look?: Partial<HostLook>;
  /** The words of the command line, made of the folder. */
  readonly words?: (directory: string) => { positionals: string[]; options: Record<string, string> };
}

/** What check says, each problem as `file:line: message → fix`, the folder left out. */
async function said({ host = HOST, policy = ALPHA, look = {}, words }: Given): Promise<readonly string[]> {
  const dir = configFolder({ "nixgate.toml": host, "policies/alpha.toml": policy });
  const { positionals, options } = words?.(dir) ?? { positionals: [], options: { "config-dir": dir } };
  const ports = { files, now: Date.now, host: { ...SOUND, ...look } };
  const { status, stdout } = await check.run({ positionals, options: { ...options, json: true } }, ports);
  const { problems } = JSON.parse(`${stdout}`) as { problems: Record<string, string>[] };
  expect(problems.map(({ severity }) => severity)).not.toContain("error");
  expect(status).toBe(0);
  return problems.map(
    (one) => `${one["path"]?.slice(dir.length + 1)}:${one["line"] ?? ""}: ${one["message"]} → ${one["fix"]}`,
  );
}

test.each(["set-user-ID", "set-group-ID", "capability-bearing"])("check warns of a run that is %s", async (kind) => {
  const look = { privilegesOf: (path: string) => (path === "/opt/gc" ? kind : undefined) };
  expect(await said({ look })).toEqual([
    expect.stringMatching(`/opt/gc is ${kind}, and commands get no new privileges → let a service`),
  ]);
});

test("a host on which all is well has no warnings", async () => {
  expect(await said({})).toEqual([]);
});

describe("check warns of a host on which nobody can come in, or no command begins", () => {
  const folder =
    (wrong: string, missing = true) =>
    (path: string) =>
      path === wrong
        ? { missing, message: missing ? "does not exist" : "belongs to uid 990, not to uid 0" }
        : undefined;

  test.each<[string, Given, RegExp]>([
    [
      "a program of nixgate.toml that does not exist",
      { look: { problemWithProgram: (path) => (path === NIX_DAEMON ? GONE : undefined) } },
      /^nixgate\.toml:4: programs\.nix-daemon: \/usr\/bin\/nix-daemon does not exist, so requests that need it are refused with 78 → install it$/,
    ],
    [
      "a program that root may execute and the team's account may not",
      {
        look: { problemWithProgram: (path, viewer) => (path === NIX_DAEMON && viewer?.uid === 990 ? GONE : undefined) },
      },
      /^nixgate\.toml:4: /,
    ],
    [
      "a rule's program that does not exist",
      { look: { problemWithProgram: (path) => (path === "/opt/gc" ? GONE : undefined) } },
      /^policies\/alpha\.toml:7: allow\[1\]\.run: \/opt\/gc does not exist/,
    ],
    [
      "a program that the sandbox hides",
      {
        host: `${HOST}[scope]\nmanager = "system"\nconfine = true\n`,
        look: { problemWithProgram: (path, viewer) => (path === "/opt/gc" && viewer?.confined ? GONE : undefined) },
      },
      /^policies\/alpha\.toml:7: allow\[1\]\.run: \/opt\/gc/,
    ],
    [
      "no systemd-run",
      { look: { isInstalled: (name) => name !== "systemd-run" } },
      /^nixgate\.toml:\d+: .*systemd-run/,
    ],
    [
      "no setpriv",
      { host: SYSTEM, look: { isInstalled: (name) => name !== "setpriv" } },
      /^nixgate\.toml:6: .*setpriv.*util-linux/,
    ],
    ["no cgroup v2", { look: { controllers: undefined } }, /^nixgate\.toml:\d+: .*no cgroup v2/],
    [
      "no memory controller",
      { look: { controllers: ["cpu", "pids"] } },
      /no memory controller.* → boot it with cgroup_enable=memory/,
    ],
    [
      "a kernel that lets a command take over its session",
      { host: SYSTEM, look: { ptraceScope: () => 0 } },
      /^nixgate\.toml:6: scope\.manager: kernel\.yama\.ptrace_scope of this host is not 1 or more.* → nixgate render units/,
    ],
    [
      "a kernel before Linux 5.14",
      { host: SYSTEM, look: { showsInodes: () => false } },
      /^nixgate\.toml:6: scope\.manager: this kernel does not tell the inodes .*is not told.* → boot Linux 5\.14 or newer/,
    ],
    [
      "a kernel before Linux 5.14, where commands are confined",
      {
        host: SYSTEM.replace('manager = "system"', 'manager = "system"\nconfine = true'),
        look: { showsInodes: () => false },
      },
      /this kernel does not tell the inodes .*refused with 69.* → boot Linux 5\.14 or newer/,
    ],
    [
      "a PAM that reads a file in the account's home",
      { host: SYSTEM, look: { pamReadsHome: () => true } },
      /^nixgate\.toml:6: .*~\/\.pam_environment.* → sed -i /,
    ],
    [
      "a login shell that reads the account's files",
      { host: SYSTEM, look: { loginShellOf: () => "/bin/bash" } },
      /alpha\.toml:2: team: nix-alpha has the login shell \/bin\/bash.* → usermod --shell \/bin\/sh nix-alpha$/,
    ],
    [
      "subordinate uids of the account's",
      {
        host: SYSTEM,
        look: { subordinateIds: (name, uid) => rangeFileOf(name, uid, () => "x:1:1\n990:100000:65536\n") },
      },
      /alpha\.toml:2: team: nix-alpha has a range in \/etc\/subuid.* → sed -i -e '\/\^nix-alpha:\/d' -e '\/\^990:\/d' /,
    ],
    [
      "subordinate gids of the account's",
      {
        host: SYSTEM,
        look: {
          subordinateIds: (name, uid) =>
            rangeFileOf(name, uid, (path) => (path === "/etc/subgid" ? "nix-alpha:1:1\n" : "nix-alphas:1:1\n")),
        },
      },
      /alpha\.toml:2: team: nix-alpha has a range in \/etc\/subgid/,
    ],
    [
      "the host's own daemon in reach of a team whose builds are bounded",
      { host: SYSTEM, policy: BOUNDED, look: { reachesHostDaemon: () => true } },
      /alpha\.toml:\d+: builds\.bounded_by: nix-alpha reaches the socket of the host's own nix-daemon.* → gpasswd --delete nix-alpha nix-users/,
    ],
    [
      "the place of the host's own daemon in reach of a team",
      { look: { replacesHostDaemon: () => true } },
      /alpha\.toml:2: team: nix-alpha may write to \/nix\/var\/nix\/daemon-socket, .* → echo 'a\+ .* m::r-x' >.*; systemd-tmpfiles --create/,
    ],
    [
      "the same under the supervisor",
      { host: SYSTEM, look: { replacesHostDaemon: () => true } },
      /alpha\.toml:2: team: nix-alpha may write to \/nix\/var\/nix\/daemon-socket, .* → nixgate apply --yes; systemd-tmpfiles --create/,
    ],
    [
      "a Nix whose build hook needs trust",
      { host: SYSTEM, policy: BOUNDED, look: { nixVersion: () => versionIn("nix-daemon (Nix) 2.8.0") } },
      /alpha\.toml:\d+: builds\.trust: the build hook of a client needs trust of Nix 2\.8; .* → install Nix 2\.16 or newer/,
    ],
    [
      "no account",
      { look: { uidOf: () => undefined } },
      /alpha\.toml:2: team: there is no account nix-alpha or alpha.* → useradd/,
    ],
    [
      "a command's memory",
      { look: { memory: (3 * GIB) as Bytes } },
      /alpha\.toml:11: team_limits\.MemoryMax: 4G is above/,
    ],
    [
      "memory that no host has to spare",
      { host: `${HOST}[admission]\nmin_available_memory = "8G"\n` },
      /^nixgate\.toml:6: admission\.min_available_memory: 8G is all that this host has .*no session is admitted/,
    ],
    [
      "a kernel that does not tell the pressure that a rule bounds",
      {
        host: `${HOST}[admission]\nmax_cpu_pressure = "80%"\nmax_io_pressure = "40%"\n`,
        look: { pressure: (resource) => (resource === "io" ? undefined : 0) },
      },
      /^nixgate\.toml:7: admission\.max_io_pressure: this kernel does not tell the io pressure in \/proc\/pressure\/io, so no session is admitted → boot Linux 4\.20 or newer with psi=1/,
    ],
    [
      "a store that cannot be measured",
      { host: `${HOST}[admission]\nmin_free_store = "10G"\n`, look: { storeRoom: () => undefined } },
      /^nixgate\.toml:6: admission\.min_free_store: the file system of \/nix\/store cannot be measured, so no session/,
    ],
    [
      "more of the store than there is",
      { host: `${HOST}[admission]\nmin_free_store = "100G"\n` },
      /^nixgate\.toml:6: admission\.min_free_store: this is all that .* so no session is admitted → .*"10G"$/,
    ],
    [
      "inodes of a store that has no fixed number of them",
      {
        host: `${HOST}[admission]\nmin_free_store = "1G"\nmin_free_store_inodes = "5%"\n`,
        look: { storeRoom: () => ({ bytes: { free: 0, all: 100 * GIB }, inodes: { free: 0, all: 0 } }) },
      },
      /^nixgate\.toml:7: admission\.min_free_store_inodes: .* no fixed number of inodes, so this has no effect/,
    ],
    [
      "no log folder",
      { look: { problemWithFolder: folder("/var/log/nixgate") } },
      /^nixgate\.toml:\d+: log\.directory: \/var\/log\/nixgate does not exist.* → install -d -m 755/,
    ],
    [
      "no log folder of the team's account",
      { look: { problemWithFolder: folder("/var/log/nixgate/alpha") } },
      /alpha\.toml:2: team: \/var\/log\/nixgate\/alpha does not exist.* → install -d -m 750 -o nix-alpha -g nix-alpha/,
    ],
    [
      "a log folder of the account's under root's supervisor",
      { host: SYSTEM, look: { problemWithFolder: folder("/var/log/nixgate/alpha", false) } },
      /alpha\.toml:2: .*belongs to uid 990.* → chown -R root: /,
    ],
    [
      "no keys where sshd has them from policies",
      { policy: WITHOUT_KEYS },
      /alpha\.toml:\d+: member: sshd takes the keys of nix-alpha from this policy, which has none/,
    ],
    [
      "a CA that sshd trusts without nixgate's principals",
      { look: { trustsCaAlone: () => true } },
      /alpha\.toml:2: team: sshd gives nix-alpha a shell for a certificate with that name.* → write AuthorizedPrincipals/,
    ],
    [
      "no rule",
      { policy: `schema = 1\nteam = "alpha"\n[[member]]\nname = "ci"\nkeys = ["${exampleKey(1)}"]\n` },
      /alpha\.toml:\d: allow: is missing, so every request is denied → add \[\[allow\]\]/,
    ],
  ])("%s", async (_, given, expected) => {
    expect(await said(given)).toEqual([expect.stringMatching(expected)]);
  });

  test("no policy at all", async () => {
    const dir = configFolder({ "nixgate.toml": HOST, "policies/.keep": "" });
    const { stdout } = await check.run({ positionals: [dir], options: {} }, { files, now: Date.now });
    expect(stdout).toContain(`${dir}/policies: warning: holds no policy, so no client can log in`);
  });
});

describe("check has no word of warning", () => {
  test.each<[string, Given]>([
    [
      "that keys are missing where sshd has others",
      { policy: WITHOUT_KEYS, look: { keysAreFromPolicies: () => false } },
    ],
    [
      "where sshd does not say where keys come from",
      { policy: WITHOUT_KEYS, look: { keysAreFromPolicies: () => undefined } },
    ],
    [
      "of a team's folder that root's supervisor will make",
      {
        host: `${HOST}[scope]\nmanager = "system"\n`,
        look: {
          problemWithFolder: (path) =>
            path.endsWith("/alpha") ? { missing: true, message: "does not exist" } : undefined,
        },
      },
    ],
  ])("%s", async (_, given) => {
    expect(await said(given)).toEqual([]);
  });

  const nothing: Partial<HostLook> = {
    uidOf: () => undefined,
    isInstalled: () => false,
    problemWithProgram: () => GONE,
  };

  test.each<[string, NonNullable<Given["words"]>]>([
    ["a folder", (dir) => ({ positionals: [dir], options: {} })],
    ["a policy", (dir) => ({ positionals: [`${dir}/policies/alpha.toml`], options: {} })],
    ["nixgate.toml", (dir) => ({ positionals: [`${dir}/nixgate.toml`], options: {} })],
  ])("of the host where %s is checked that is not its configuration", async (_, words) => {
    expect(await said({ look: nothing, words })).toEqual([]);
  });

  test("but looks at it where the configuration's own folder is named", async () => {
    const words = (dir: string) => ({ positionals: [`${dir}/`], options: { "config-dir": dir } });
    expect((await said({ look: nothing, words })).length).toBeGreaterThan(1);
  });
});

test.each([
  ["nix-daemon (Nix) 2.26.3", { major: 2, minor: 26 }],
  ["nix-daemon (Lix, like Nix) 2.93.0", { major: 2, minor: 93 }],
  ["something else", undefined],
])("the version of %s", (text, version) => {
  expect(versionIn(text)).toEqual(version);
});

test.each(["2.16.0", "2.26.3", "3.1.0"])("check warns of nothing where Nix %s bounds builds", async (version) => {
  const look = { nixVersion: () => versionIn(`nix-daemon (Nix) ${version}`), reachesHostDaemon: () => false };
  expect(await said({ host: SYSTEM, policy: BOUNDED, look })).toEqual([]);
});
