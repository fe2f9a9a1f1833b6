import { describe, expect, test } from "vitest";
import { formatProblem } from "../../../src/policy/problem.ts";
import { readPolicy } from "../../../src/policy/read-policy.ts";
import { exampleKey } from "../../support/keys.ts";

const PATH = "/etc/nixgate/policies/alpha.toml";
const HEAD = 'schema = 1\nteam = "alpha"\n';
const KEY = exampleKey(1);

/** The problems of a policy with these lines after its head, as `line: message → fix`. */
async function problems(lines: string): Promise<string[]> {
  const read = await readPolicy(HEAD + lines, PATH);
  return read.problems.map(({ line, message, fix }) => `${line}: ${message} → ${fix}`);
}

test("a policy of two lines has every default", async () => {
  expect(await readPolicy(HEAD, PATH)).toEqual({
    ok: true,
    problems: [],
    value: {
      team: "alpha",
      description: "",
      allow: [],
      limits: { TasksMax: 256, MemoryMax: 2 * 1024 ** 3, RuntimeMaxSec: 4 * 3_600_000 },
      teamLimits: {},
      session: {
        maxConcurrent: 8,
        maxStartsPerMinute: 120,
        maxCommands: 32,
        lineMaxBytes: 4096,
        readTimeout: 30_000,
        clientGoneGrace: 2000,
        stopTimeout: 10_000,
      },
      store: { mode: "daemon" },
      builds: { boundedBy: "host", trust: false },
      members: [],
      ca: [],
    },
  });
});

const EVERYTHING = {
  schema: 1,
  team: "alpha",
  description: "platform team",
  allow: [
    {
      endpoint: "store-serve-write",
      read_only: true,
      environment: { NIX_SSL_CERT_FILE: "/etc/ssl/certs/ca-certificates.crt" },
    },
    { endpoint: "daemon-stdio", stores: ["local?root=/srv/nixgate/alpha"], process_ops: true },
    { request: ["nix-store", "-r"], run: ["/usr/bin/nix-store", "-r"] },
  ],
  limits: {
    TasksMax: "infinity",
    MemoryMax: "2G",
    MemoryHigh: "1536M",
    MemorySwapMax: "0",
    CPUQuota: "200%",
    CPUWeight: 50,
  },
  team_limits: { TasksMax: 1024, MemoryMax: "8G", CPUQuota: "400%" },
  session: { max_concurrent: 2, line_max_bytes: 1024, read_timeout: "1min 30s" },
  store: { mode: "dedicated", root: "/srv/nixgate/alpha" },
  member: [{ name: "ci", keys: [`${KEY} ci@alpha`], from: ["10.0.0.0/8"] }],
};

test("every key of a policy arrives in its own unit, from JSON as from TOML", async () => {
  const read = await readPolicy(JSON.stringify(EVERYTHING), "/etc/nixgate/policies/alpha.json");
  expect(read).toMatchObject({
    ok: true,
    value: {
      allow: [
        { kind: "endpoint", name: "allow[0]", endpoint: "store-serve-write", stores: [], processOps: false },
        { kind: "endpoint", name: "allow[1]", stores: ["local?root=/srv/nixgate/alpha"], processOps: true },
        { kind: "custom", name: "allow[2]", request: ["nix-store", "-r"], run: ["/usr/bin/nix-store", "-r"] },
      ],
      limits: { TasksMax: "infinity", MemorySwapMax: 0, CPUQuota: 200, CPUWeight: 50, RuntimeMaxSec: 14_400_000 },
      teamLimits: { TasksMax: 1024, MemoryMax: 8 * 1024 ** 3, CPUQuota: 400 },
      session: { maxConcurrent: 2, lineMaxBytes: 1024, readTimeout: 90_000, stopTimeout: 10_000 },
      store: { mode: "dedicated", root: "/srv/nixgate/alpha" },
      members: [{ name: "ci", keys: [`${KEY} ci@alpha`], from: ["10.0.0.0/8"] }],
    },
  });
});

describe("one problem, its line and its fix", () => {
  test.each([
    ['[limits]\nMemoryMax = "2 G"', '4: limits.MemoryMax: "2 G" has a space → write "2G"'],
    ['[limits]\nMemoryMax = "2g"', '4: limits.MemoryMax: "2g" has its unit in lower case → write "2G"'],
    ['[limits]\nCPUQuota = "0%"', '4: limits.CPUQuota: "0%" is below 1% → write at least "1%"'],
    ["[limits]\nTasksMax = 0", "4: limits.TasksMax: 0 would let nothing run → write 1 or more"],
    ["[limits]\nTasksMax = -1", '4: limits.TasksMax: "-1" is below zero → write a value above zero, such as 256'],
    [
      "[limits]\nTasksMax = nan",
      '4: limits.TasksMax: "NaN" is not written as a plain number → write a value such as 256',
    ],
    [
      "[limits]\nTasksMax = 1e309",
      '4: limits.TasksMax: "Infinity" is not a whole number → write digits only, such as 256',
    ],
    [
      "[limits]\nTasksMax = true",
      "4: limits.TasksMax: true is not a count or infinity → write a count or infinity in quotes",
    ],
    [
      "[limits]\nMemoryMax = 1979-05-27",
      "4: limits.MemoryMax: a date is not a size → write a size or infinity in quotes",
    ],
    ["[limits]\nmemory_max = 1", "4: limits.memory_max: unknown key → write MemoryMax"],
    ["[limits]\nMemoryLimit = 1", "4: limits.MemoryLimit: is cgroup v1's name → write MemoryMax"],
    [
      '[team_limits]\nRuntimeMaxSec = "1h"',
      "4: team_limits.RuntimeMaxSec: a slice has no run time → move it to [limits], where it bounds each command",
    ],
    ["limits = 1979-05-27", "3: limits: a date is not a table → write its keys under [name] or in { }"],
    ["limits = []", "3: limits: a list is not a table → write its keys under [name] or in { }"],
    ["allow = {}", "3: allow: a table is not a list → write each entry under [[allow]]"],
    ['descripton = "x"', "3: descripton: unknown key → write description"],
    ["member = [{}]", "3: member[0].name: is missing → add it: name"],
    [
      '[session]\nread_timeout = "0"',
      '4: session.read_timeout: "0" is zero → write a duration such as "30s", "4h" or "1min 30s"',
    ],
    [
      "[session]\nstop_timeout = 0",
      '4: session.stop_timeout: "0" is zero → write a duration such as "30s", "4h" or "1min 30s"',
    ],
    [
      "[session]\nline_max_bytes = 5",
      "4: session.line_max_bytes: 5 is not between 64 and 65536 → write 4096, which every known client stays below",
    ],
    [
      '[[allow]]\nendpoint = "store-serve-writ"',
      '4: allow[0].endpoint: "store-serve-writ" is not known here → write "store-serve-write"',
    ],
    ["[[allow]]\nprocess_ops = true", "3: allow[0]: allows nothing → add an endpoint, or request and run"],
    [
      '[store]\nmode = "dedicated"',
      '3: store.root: is missing for a dedicated store → add root = "/srv/nixgate/<team>"',
    ],
    [
      '[store]\nroot = "/srv/x"',
      '4: store.root: belongs to a dedicated store → write mode = "dedicated", or remove it',
    ],
    [
      '[store]\nmode = "dedicated"\nroot = "/srv/../etc"',
      '5: store.root: "/srv/../etc" is not a plain absolute path → write an absolute path without "." or ".." in it, such as "/srv/nixgate/alpha"',
    ],
  ])("%s", async (lines, problem) => {
    expect(await problems(lines)).toEqual([problem]);
  });
});

describe("limits that contradict each other", () => {
  test.each([
    [
      '[limits]\nMemoryMax = "1G"\nMemoryHigh = "2G"',
      ["limits.MemoryHigh: 2G is above MemoryMax 1G, so it can never slow anything down"],
    ],
    [
      '[limits]\nMemoryMin = "3G"\n[team_limits]\nMemoryMin = "2G"',
      [
        "limits.MemoryMin: 3G is above MemoryMax 2G (the default), so the rest of it can never be used",
        "limits.MemoryMin: 3G is above the team's 2G, so it can never be reached",
      ],
    ],
    [
      '[limits]\nMemoryHigh = "3G"',
      ["limits.MemoryHigh: 3G is above MemoryMax 2G (the default), so it can never slow anything down"],
    ],
    [
      '[team_limits]\nMemoryMax = "4G"\nMemoryHigh = "5G"',
      ["team_limits.MemoryHigh: 5G is above MemoryMax 4G, so it can never slow anything down"],
    ],
    [
      "[limits]\nTasksMax = 300\n[team_limits]\nTasksMax = 200",
      ["limits.TasksMax: 300 is above the team's 200, so it can never be reached"],
    ],
    [
      '[limits]\nCPUQuota = "300%"\n[team_limits]\nCPUQuota = "200%"',
      ["limits.CPUQuota: 300% is above the team's 200%, so it can never be reached"],
    ],
    [
      '[team_limits]\nMemoryMax = "1G"',
      ["team_limits.MemoryMax: 2G (the default) is above the team's 1G, so it can never be reached"],
    ],
    ['[limits]\nMemoryMax = "infinity"\n[team_limits]\nMemoryMax = "1G"', []],
    ['[limits]\nMemoryMax = "1G"\n[team_limits]\nMemoryMax = "1G"', []],
  ])("%s", async (lines, messages) => {
    const read = await readPolicy(HEAD + lines, PATH);
    expect(read.problems.map(({ message }) => message)).toEqual(messages);
  });
});

describe("an exact request", () => {
  const custom = (request: string, run = '["/usr/bin/x"]') => problems(`[[allow]]\nrequest = ${request}\nrun = ${run}`);
  test.each([
    ["[]", /4: allow\[0\].request: has no words/],
    ['["a", ""]', /4: allow\[0\].request\[1\]: is empty/],
    ['["a\\nb"]', /4: allow\[0\].request\[0\]: "a\\u\{a\}b" has a control character/],
    ['["nix-store", "--serve"]', /an endpoint's request → write endpoint =/],
    ['["/nix/bin/nix-daemon", "--stdio", "--store", "x"]', /an endpoint's request/],
    ['["nix", "daemon", "--stdio"]', /an endpoint's request/],
    ['["bash"]', /line loop, so it would never match/],
    ['["exec", "nix-store", "-r"]', /line loop, so it would never match/],
    ['["echo", "started"]', /line loop, so it would never match/],
  ])("%s is refused", async (request, problem) => {
    expect(await custom(request)).toEqual([expect.stringMatching(problem)]);
  });

  test.each(['["nix-store"]', '["./nix-store"]', '["/usr/bin/../bin/x"]', '["/usr/bin/"]', '["/"]', "[]"])(
    "run = %s is refused",
    async (run) => {
      expect(await custom('["a"]', run)).toEqual([
        expect.stringMatching(/5: allow\[0\].run: .* is not a plain absolute path/),
      ]);
    },
  );

  test.each([
    [
      '["a", "{store-path}"]',
      '["{store-path}", "a"]',
      /5: allow\[0\].run: \{store-path\} cannot be the program: the client/,
    ],
    [
      '["{derivation}"]',
      '["/usr/bin/x", "{derivation}"]',
      /4: allow\[0\].request: \{derivation\} cannot be the first word/,
    ],
    ['["a"]', '["/usr/bin/x", "{store-path}"]', /5: .*run: has \{store-path\} once, and request has it not at all/],
    [
      '["a", "{derivation}"]',
      '["/usr/bin/x", "{store-path}"]',
      /has \{store-path\} once, and request has it not at all/,
    ],
    ['["a", "{derivation}"]', '["/usr/bin/x", "{derivation}", "{derivation}"]', /has \{derivation\} 2 times, .* once/],
    ['["a", "{derivation}", "{derivation}"]', '["/usr/bin/x", "{derivation}"]', /once, and request has it 2 times/],
  ])(
    "%s with run = %s leaves open which word is meant, or lets the client choose the program",
    async (request, run, problem) => {
      expect(await custom(request, run)).toEqual([expect.stringMatching(problem)]);
    },
  );

  test.each([
    ['["a", "{derivation}"]', '["/usr/bin/x"]'],
    ['["a", "{derivation}", "{store-path}", "{derivation}"]', '["/usr/bin/x", "{derivation}", "{derivation}"]'],
    ['["a", "{store-path}"]', '["/usr/bin/x", "{store-path}", "{path}"]'],
  ])("%s with run = %s is clear", async (request, run) => {
    expect(await custom(request, run)).toEqual([]);
  });

  test("behind a rule whose placeholder takes all of its requests it would never be asked", async () => {
    const rule = (word: string) => `[[allow]]\nrequest = ["a", "${word}"]\nrun = ["/usr/bin/x"]\n`;
    expect(await problems(rule("{store-path}") + rule("{derivation}"))).toEqual([
      expect.stringMatching(/allow\[1\]: allow\[0\] already takes every request of this one/),
    ]);
    expect(await problems(rule("{derivation}") + rule("{store-path}"))).toEqual([]);
  });

  test("needs run, and takes nothing that belongs to an endpoint", async () => {
    expect(await problems('[[allow]]\nrequest = ["a"]')).toEqual([expect.stringMatching(/allow\[0\].run: is missing/)]);
    expect(await problems('[[allow]]\nendpoint = "daemon-stdio"\nrun = ["/x"]')).toHaveLength(1);
    const all =
      '[[allow]]\nendpoint = "daemon-stdio"\nrequest = ["a"]\nrun = ["/x"]\nstores = ["a"]\nprocess_ops = false';
    expect(await problems(all)).toHaveLength(3);
  });
});

describe("entries behind others", () => {
  const rule = (...lines: string[]) => `[[allow]]\n${lines.join("\n")}\n`;
  const serve = 'endpoint = "daemon-stdio"';
  test.each([
    ["the same request", rule('request = ["a"]', 'run = ["/x"]') + rule('request = ["a"]', 'run = ["/y"]')],
    ["the same endpoint", rule(serve) + rule(serve)],
    ["fewer stores", rule(serve, 'stores = ["a", "b"]') + rule(serve, 'stores = ["b"]')],
    ["less than --process-ops", rule(serve, "process_ops = true") + rule(serve)],
  ])("%s is never asked, and an error", async (_, entries) => {
    expect(await problems(entries)).toEqual([
      expect.stringContaining("allow[1]: allow[0] already takes every request"),
    ]);
  });
  test("more stores, or another request, is", async () => {
    expect(await problems(rule(serve) + rule(serve, 'stores = ["a"]'))).toEqual([]);
    const both = rule('request = ["a"]', 'run = ["/x"]') + rule('request = ["a", "b"]', 'run = ["/x"]');
    expect(await problems(both)).toEqual([]);
  });
  test("read_only is for store-serve-write alone", async () => {
    expect(await problems(rule(serve, "read_only = true"))).toEqual([
      expect.stringContaining("means nothing for daemon-stdio"),
    ]);
    expect(await problems(rule('request = ["a"]', 'run = ["/x"]', "read_only = true"))).toHaveLength(1);
  });
});

test.each(["auto", "ssh://x", "daemon"])("the store %s may stand in a list once", async (store) => {
  const rule = (list: string) => problems(`[[allow]]\nendpoint = "daemon-stdio"\nstores = ${list}`);
  expect(await rule(`["${store}"]`)).toEqual([]);
  expect(await rule(`["${store}", "${store}"]`)).toEqual([
    expect.stringContaining(`stores[1]: "${store}" occurs twice`),
  ]);
  expect(await rule(`["-${store}"]`)).toEqual([expect.stringContaining("looks like an option")]);
});

test.each([
  "HOME",
  "USER",
  "LOGNAME",
  "PATH",
  "SHELL",
  "LANG",
  "XDG_RUNTIME_DIR",
  "DBUS_SESSION_BUS_ADDRESS",
  "LD_PRELOAD",
  "LD_LIBRARY_PATH",
  "NODE_OPTIONS",
  "NODE_PATH",
  "BASH_ENV",
  "BASH_FUNC_x%%",
  "ENV",
  "IFS",
  "GLIBC_TUNABLES",
  "SSH_ORIGINAL_COMMAND",
  "NOTIFY_SOCKET",
  "1X",
  "A B",
  "A=B",
  "é",
  "",
])("the environment cannot set %j", async (name) => {
  const lines = `[[allow]]\nendpoint = "daemon-stdio"\nenvironment = { ${JSON.stringify(name)} = "x" }`;
  expect(await problems(lines)).toEqual([expect.stringMatching(/^5: allow\[0\]\.environment\./)]);
});

test("the environment takes ordinary names and texts, nothing else", async () => {
  const environment = (value: string) => problems(`[[allow]]\nendpoint = "daemon-stdio"\nenvironment = ${value}`);
  expect(await environment('{ NIX_SSL_CERT_FILE = "/x", _a1 = "b c" }')).toEqual([]);
  expect(await environment('{ A = "x\\ny" }')).toHaveLength(1);
  expect(await environment("{ A = 1 }")).toHaveLength(1);
  expect(await environment('"A=1"')).toHaveLength(1);
});

describe("a member", () => {
  const member = (lines: string) => problems(`[[member]]\nname = "ci"\n${lines}`);
  test.each([
    ["ssh-ed25519", /is not a public key/],
    ["ssh-ed25519 AAAA", /is not a whole key/],
    ["ssh-ed25519 ????", /is not a whole key/],
    [`ssh-rsa ${KEY.split(" ")[1]}`, /says "ssh-rsa" and holds "ssh-ed25519"/],
    [`ssh-dss ${KEY.split(" ")[1]}`, /is not a key type that sshd accepts/],
    [`ssh-ed25519-cert-v01@openssh.com ${KEY.split(" ")[1]}`, /is a certificate, not a key/],
    [`pty ${KEY}`, /has options before the key/],
    [`command="sh" ${KEY}`, /has options before the key/],
    [`${KEY}\\nssh-ed25519 AAAA`, /has a line break or another control character/],
    [`${KEY}\\u0000`, /has a line break or another control character/],
    [`${KEY}AAAA`, /is not a whole key/],
    ["", /is not a public key/],
  ])("with the key %s is refused", async (key, problem) => {
    expect(await member(`keys = ["${key.replaceAll('"', '\\"')}"]`)).toEqual([expect.stringMatching(problem)]);
  });

  test.each(["10.0.0.0/8", "192.0.2.7", "2001:db8::/32", "::1", "0.0.0.0/0", "::ffff:10.0.0.0/104", "192.0.2.7/32"])(
    "may come from %s",
    async (from) => {
      expect(await member(`from = ["${from}"]`)).toEqual([]);
    },
  );

  test.each([
    ["10.0.0.1/8", /has bits set after its prefix/],
    ["2001:db8::1/32", /has bits set after its prefix/],
    ["10.0.0.0/33", /prefix that is not from 0 to 32/],
    ["10.0.0.0/", /prefix that is not from 0 to 32/],
    ["10.0.0.0/8/8", /is not an address/],
    ["10.0.0", /is not an address/],
    ["fe80::1%eth0", /is not an address/],
    ["host.example", /is not an address/],
    ["*.example", /is a pattern/],
    ["!10.0.0.1", /is a pattern/],
    ["10.0.0.1,10.0.0.2", /is a pattern/],
    ['10.0.0.1\\"', /is not an address/],
  ])("cannot come from %s", async (from, problem) => {
    expect(await member(`from = ["${from}"]`)).toEqual([expect.stringMatching(problem)]);
  });

  test("has a name of its own, in the alphabet of names", async () => {
    expect(await member('[[member]]\nname = "ci"')).toEqual([
      expect.stringContaining('6: member[1].name: "ci" occurs twice'),
    ]);
    expect(await problems('[[member]]\nname = "../ci"')).toEqual([expect.stringContaining('"../ci" is not a name')]);
  });
});

test.each(["Alpha", "../alpha", "alpha/", "-a", "", "a".repeat(33), "аlpha", "a\\u0000"])(
  "the team %j is no name",
  async (team) => {
    const read = await readPolicy(`schema = 1\nteam = "${team}"`, PATH);
    expect(read.problems).toMatchObject([{ line: 2, message: expect.stringMatching(/^team: .* is not a name$/) }]);
  },
);

test("the team must be the file's name", async () => {
  const read = await readPolicy(HEAD, "/etc/nixgate/policies/beta.toml");
  expect(read).toMatchObject({
    ok: false,
    problems: [{ line: 2, fix: 'write team = "beta", or rename the file to alpha.toml' }],
  });
});

test("every problem is told at once, in the order of the lines, those between keys too", async () => {
  const found = await problems(
    'descripton = "x"\n[[allow]]\nendpoint = "daemon-stdio"\nstores = ["a", 3]\n[[allow]]\nrequest = ["bash"]\nrun = ["x"]\n[limits]\nMemoryMax = "2 G"\nMemoryHigh = "3G"\n[store]\nmode = "dedicated"',
  );
  expect(found.map((problem) => problem.split(": ", 2).join(": "))).toEqual([
    "3: descripton",
    "6: allow[0].stores[1]",
    "8: allow[1].request",
    "9: allow[1].run",
    "11: limits.MemoryMax",
    "13: store.root",
  ]);
});

describe("text that is no TOML or JSON", () => {
  test.each([
    ["toml", 'schema = 1\nteam = "a"\nteam = "b"\n', 3, /the key team occurs twice/],
    ["toml", "[limits]\n[limits]\n", 2, /the table \[limits\] occurs twice/],
    ["toml", 'schema = 1\n__proto__ = { team = "alpha" }\n', 2, /__proto__ or constructor/],
    ["toml", '[limits]\nconstructor = "x"\n', 2, /__proto__ or constructor/],
    ["toml", "a = 9007199254740993\n", 1, /a number is too large/],
    ["toml", "schema = 1\nteam =\n", 2, /a value is missing/],
    ["toml", "\u0000", 1, /not TOML/],
    ["toml", `a = ${"[".repeat(100_000)}`, 1, /not TOML/],
    ["json", '{"schema": 1,\n"schema": 1}', 2, /the key "schema" occurs twice/],
    ["json", '{"limits": {"A": 1,\n\n"A": 2}}', 3, /the key "A" occurs twice/],
    ["json", '{\n// comment\n"schema": 1}', 2, /not JSON: invalid comment token/],
    ["json", '{"schema": 1,\n}', 2, /not JSON/],
    ["json", "", 1, /not JSON/],
    ["json", "[".repeat(1_000_000), undefined, /nested deeper/],
    ["json", `${"[".repeat(100_000)}${"]".repeat(100_000)}`, undefined, /nested deeper/],
  ])("%s %#", async (format, text, line, message) => {
    const read = await readPolicy(text, `/etc/nixgate/policies/alpha.${format}`);
    expect(read).toMatchObject({ ok: false, problems: [{ line, message: expect.stringMatching(message) }] });
  });
});

test.each(["[]", "null", '"x"', "3"])("JSON that is %s is no policy", async (text) => {
  expect(await readPolicy(text, "/etc/nixgate/policies/alpha.json")).toMatchObject({
    ok: false,
    problems: [{ line: 1 }],
  });
});

test("__proto__ and constructor in JSON are unknown keys like any other, also among the environment's names", async () => {
  const text = `{"schema": 1, "team": "alpha",\n"__proto__": {"team": "root"},\n"constructor": 1,\n"allow": [{"endpoint": "daemon-stdio",\n"environment": {"__proto__": "x"}}]}`;
  const { ok, problems: found } = await readPolicy(text, "/etc/nixgate/policies/alpha.json");
  expect(ok).toBe(false);
  expect(found.map(({ line }) => line)).toEqual([2, 3, 5]);
  expect(Object.hasOwn(Object.prototype, "team")).toBe(false);
});

test.each(['"a\\x41"', '"\\e"', "{ a = 1,\n}"])("a problem beside TOML 1.1's %s keeps its line", async (value) => {
  const found = await problems(`descripton = ${value}\n`);
  expect(found).toEqual(["3: descripton: unknown key → write description"]);
});

test("a problem is printed as compilers do, harmless to a terminal", () => {
  const problem = {
    severity: "error",
    path: "a\u001b[31m.toml",
    line: 3,
    message: "x \u202e y",
    fix: "write\nz",
  } as const;
  expect(formatProblem(problem)).toBe("a\\u{1b}[31m.toml:3: x \\u{202e} y\n    fix: write\\u{a}z");
  expect(formatProblem({ ...problem, path: "a", line: undefined, severity: "warning" })).toMatch(/^a: warning: x/);
});
