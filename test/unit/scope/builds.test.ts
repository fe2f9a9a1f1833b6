import { describe, expect, test } from "vitest";
import type { Allow } from "../../../src/decision/decision.ts";
import type { Builds } from "../../../src/policy/builds.ts";
import type { HostConfig } from "../../../src/policy/policy.ts";
import { hostConfig } from "../../../src/policy/schema/defaults.ts";
import { unitCgroup } from "../../../src/scope/names.ts";
import { nixConf } from "../../../src/scope/nix-conf.ts";
import { planScope } from "../../../src/scope/plan.ts";
import { makeSessionId, type TeamName } from "../../../src/units/ids.ts";
import type { Bytes, Milliseconds } from "../../../src/units/quantities.ts";
import { fakePolicy } from "../../support/fake-ports.ts";

const ID = makeSessionId(0, new Uint8Array(10));
const BOUNDED: Builds = { boundedBy: "session", trust: false };

function plan(builds: Builds = BOUNDED, scope: Partial<HostConfig["scope"]> = {}) {
  const host = hostConfig({ schema: 1, programs: { "nix-daemon": "/opt/nix-daemon" } });
  const rule = { kind: "endpoint", stores: [], environment: { NIX_REMOTE: "local" } };
  const limits = { TasksMax: 64, MemoryMax: 4096 as Bytes, RuntimeMaxSec: 60_000 as Milliseconds };
  return planScope({ kind: "allow", rule, argv: ["/opt/nix-daemon", "--stdio"] } as unknown as Allow, {
    host: { ...host, scope: { ...host.scope, manager: "system", ...scope } },
    policy: fakePolicy({ team: "a-b" as TeamName, builds, limits }),
    session: ID,
    n: 2,
    account: { name: "nix-a-b", uid: 990, home: "/" },
    holder: "/holder",
  });
}

describe("builds in the limits of their session", () => {
  test("the command and its builds have a slice of their own, a child of the team's", () => {
    const { slice, team, unit } = plan();
    expect(team.slice).toBe("nixgate-a\\x2db.slice");
    // a dash that is not escaped would be one more slice (systemd.slice(5))
    expect(slice).toBe(`nixgate-a\\x2db-${`${ID}-2`.replaceAll("-", "\\x2d")}.slice`);
    expect(slice.split("-")).toHaveLength(3);
    expect(unitCgroup(team.slice, slice, unit)).toBe(`/nixgate.slice/${team.slice}/${slice}/nixgate-a-b-${ID}-2.scope`);
  });

  test("the slice has the limits of the cgroup, and the unit has the rest", () => {
    const { sliceProperties, unitProperties, expectations } = plan();
    expect(sliceProperties.map(({ name }) => name)).toEqual(["TasksMax", "MemoryMax"]);
    expect(unitProperties.map(({ name }) => name)).toEqual(["RuntimeMaxSec", "TimeoutStopSec"]);
    expect(expectations.map(({ file, value }) => `${file} ${value}`)).toEqual(["pids.max 64", "memory.max 4096"]);
  });

  test("the environment leads to the daemon of the command, whatever the rule says", () => {
    const { environment, buildDaemon } = plan();
    expect(environment).toMatchObject({
      NIX_REMOTE: "daemon",
      NIX_DAEMON_SOCKET_PATH: `/run/nixgate/a-b/builds/${ID}-2`,
      NIX_CONF_DIR: buildDaemon?.confFolder,
    });
    expect(buildDaemon).toMatchObject({
      socket: `nixgate-a-b-${ID}-2-builds.socket`,
      service: `nixgate-a-b-${ID}-2-builds.service`,
      argv: ["/opt/nix-daemon", "--daemon", "--store", "local"],
    });
  });

  test("the socket's path fits a socket's address for the longest team (sun_path of unix(7))", () => {
    const longest = `/run/nixgate/${"a".repeat(32)}/builds/${ID}-999`;
    expect(longest.length).toBeLessThan(108);
  });

  test("a confined command cannot reach the host's own daemon", () => {
    const reach = (builds: Builds) =>
      plan(builds, { confine: true }).confinement?.find(({ name }) => name === "InaccessiblePaths");
    expect(reach(BOUNDED)?.value).toContain("-/nix/var/nix/daemon-socket");
    expect(reach(BOUNDED)?.bus[2]).toContain("-/nix/var/nix/daemon-socket");
    expect(reach({ boundedBy: "host", trust: false })?.value).not.toContain("daemon-socket");
  });

  test.each([
    { what: "the policy says host", builds: { boundedBy: "host", trust: false } as const, scope: {} },
    { what: "another manager makes the scope", builds: BOUNDED, scope: { manager: "user" } as const },
  ])("there is no daemon where $what, and the record says host", ({ builds, scope }) => {
    const { buildDaemon, buildsBoundedBy, slice, team, sliceProperties } = plan(builds, scope);
    expect({ buildDaemon, buildsBoundedBy, sliceProperties }).toEqual({
      ...{ buildDaemon: undefined, buildsBoundedBy: "host" },
      sliceProperties: [],
    });
    expect(slice).toBe(team.slice);
  });
});

describe("nix.conf of the daemon", () => {
  test("has the policy's settings behind the host's, and nixgate's own behind both", () => {
    const text = nixConf(
      {
        ...{ boundedBy: "session", trust: false, maxJobs: 2, cores: 3 },
        ...{ timeout: 1500 as Milliseconds, maxSilentTime: 60_000 as Milliseconds, maxLog: 1024 as Bytes },
        ...{ sandbox: "relaxed", substituters: [], trustedPublicKeys: ["a:b"], systemFeatures: ["kvm", "x"] },
        extraPlatforms: ["i686-linux"],
      },
      "nix-a",
    );
    expect(text.split("\n").filter((line) => line !== "" && !line.startsWith("#"))).toEqual([
      "netrc-file = /etc/nix/netrc",
      "!include /etc/nix/nix.conf",
      "max-jobs = 2",
      "cores = 3",
      "timeout = 2",
      "max-silent-time = 60",
      "max-build-log-size = 1024",
      "sandbox = relaxed",
      "substituters = ",
      "trusted-public-keys = a:b",
      "system-features = kvm x",
      "extra-platforms = i686-linux",
      "builders =",
      "use-cgroups = false",
      "allowed-users = nix-a",
      "trusted-users =",
    ]);
  });

  test("trusts the account only where the policy does", () => {
    expect(nixConf({ ...BOUNDED, trust: true }, "nix-a")).toMatch(/^trusted-users = nix-a$/m);
  });
});
