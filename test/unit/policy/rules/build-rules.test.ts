import { describe, expect, test } from "vitest";
import { readPolicy } from "../../../../src/policy/read-policy.ts";
import { buildAdvice, hostBuildFindings } from "../../../../src/policy/rules/build-rules.ts";
import { hostConfig } from "../../../../src/policy/schema/defaults.ts";

async function read(lines: string) {
  const result = await readPolicy(`schema = 1\nteam = "alpha"\n${lines}`, "/p/alpha.toml");
  return result.ok
    ? { value: result.value, messages: [] }
    : { messages: result.problems.map(({ message }) => message) };
}

test("settings of Nix's are read by its own names", async () => {
  const lines = [
    ...["[builds]", 'bounded_by = "session"', "max_jobs = 2", 'timeout = "1h"', 'max_log = "1M"', "sandbox = true"],
    ...["substituters = []", 'system_features = ["kvm", "big-parallel"]'],
  ];
  expect((await read(lines.join("\n"))).value?.builds).toEqual({
    ...{ boundedBy: "session", trust: false, maxJobs: 2, timeout: 3_600_000, maxLog: 1 << 20, sandbox: "true" },
    ...{ substituters: [], systemFeatures: ["kvm", "big-parallel"] },
  });
});

test.each([
  { lines: "[builds]\nmax_jobs = 2", message: /builds.max_jobs: has no effect while the host's own daemon builds/ },
  { lines: '[builds]\nbounded_by = "host"\ntrust = true', message: /builds.trust: has no effect/ },
  {
    lines: '[builds]\nbounded_by = "session"\n[limits]\nTasksMax = "infinity"',
    message: /limits.TasksMax: is infinity/,
  },
  { lines: '[builds]\nbounded_by = "session"\nsandbox = "off"', message: /builds.sandbox: "off" is not a mode/ },
  // what is no word would be another line of nix.conf, or a comment
  { lines: '[builds]\nbounded_by = "session"\nsystem_features = ["a b"]', message: /is not one word of nix.conf/ },
  { lines: '[builds]\nbounded_by = "session"\nsubstituters = ["x\\ntrusted-users = *"]', message: /is not one word/ },
  { lines: '[builds]\nbounded_by = "session"\nsubstituters = ["https://x#y"]', message: /is not one word/ },
])("$message", async ({ lines, message }) => {
  expect((await read(lines)).messages.join("\n")).toMatch(message);
});

describe("on a host", () => {
  const BOUNDED = '[builds]\nbounded_by = "session"\n[[allow]]\nrequest = ["x"]\nrun = ["/x"]\n';
  const findings = async (
    lines: string,
    scope: "system" | "user",
    programs: { readonly "nix-daemon"?: string } = { "nix-daemon": "/d" },
  ) => {
    const { value } = await read(lines);
    if (!value) throw new Error("not valid");
    const host = hostConfig({ schema: 1, scope: { manager: scope }, programs });
    return [...hostBuildFindings(host, value), ...buildAdvice(value)].map(
      ({ severity, message }) => `${severity} ${message}`,
    );
  };

  test("only root's supervisor bounds builds, and it needs the daemon's program", async () => {
    expect(await findings(BOUNDED, "system")).toEqual([]);
    expect(await findings(BOUNDED, "user")).toEqual([
      expect.stringContaining("error builds.bounded_by: only root's supervisor"),
    ]);
    expect(await findings(BOUNDED, "system", {})).toEqual([expect.stringContaining("no program nix-daemon")]);
  });

  test("a rule cannot lead its command to another daemon, and trust is warned of", async () => {
    const leads = `${BOUNDED}environment = { NIX_REMOTE = "daemon" }`;
    expect(await findings(leads, "system")).toEqual([expect.stringContaining("error allow[0].environment.NIX_REMOTE")]);
    const trusts = BOUNDED.replace('"session"', '"session"\ntrust = true');
    expect(await findings(trusts, "system")).toEqual([
      expect.stringContaining("warning builds.trust: a trusted client"),
    ]);
    const store = '[builds]\nbounded_by = "session"\n[[allow]]\nendpoint = "daemon-stdio"\nstores = ["unix:///x"]';
    expect(await findings(store, "system")).toEqual([expect.stringContaining("warning allow[0].stores[0]")]);
  });
});
