import { afterAll, beforeAll, describe, expect } from "vitest";
import { startGuest, stopGuest } from "../../../tools/machine/guest.ts";
import { settings } from "../../../tools/machine/settings.ts";
import { attempt, lineOf } from "../hostile.ts";
import { allow, editHost } from "../policies.ts";
import { Guest, test } from "../support.ts";

const options = settings(process.env);
/** systemd 256 and 257 want the second word, too. */
const V1 = ["systemd.unified_cgroup_hierarchy=0", "SYSTEMD_CGROUP_ENABLE_LEGACY_FORCE=1"];
const NEEDS = "this host has no cgroup v2 at /sys/fs/cgroup, which limits need";
const DEMON = ["/bin/sh", "-c", "setsid sleep 301 >/dev/null 2>&1 </dev/null & sleep 1; exit 0"];

/** A guest of its own with these words for its kernel, where the host can have one more. */
function booted(kind: string, kernelWords: readonly string[]): () => Guest {
  let guest: Guest | undefined;
  const name = `${options.name}-${kind}`.slice(0, 32);
  beforeAll(async () => {
    guest = new Guest(await startGuest({ ...options, name, kernelWords, outlives: false }, () => {}));
    await allow(guest, "alpha", { demon: DEMON });
  }, 300_000);
  afterAll(() => stopGuest(name));
  return () => guest as Guest;
}

describe.skipIf(options.suite === "forky")("a host with cgroup v1 (systemd has none from 258 on)", () => {
  const guest = booted("v1", V1);

  test("gives a command no limits, so that it does not begin", async () => {
    const { exitCode, stderr, story } = await attempt(guest(), "demon");
    expect(exitCode, `${stderr}`).toBe(69);
    expect(lineOf(stderr)).toBe(`the command cannot be given its limits: ${NEEDS}`);
    expect(story.ended).toMatchObject({ cause: "scope-failed", message: NEEDS });
  });

  test("with require = false has rlimits instead, and no figures of cgroups", async () => {
    await editHost(guest(), "s/^require = true/require = false/");
    const { exitCode, stderr, story } = await attempt(guest(), "demon");
    expect(exitCode, `${stderr}`).toBe(0);
    expect(lineOf(stderr)).toBe(`no scope for this command, which has only rlimits instead: ${NEEDS}`);
    expect(story.begun).toMatchObject({ isolation: "process", limits: { applied: { TasksMax: expect.anything() } } });
    expect(story.ended).toMatchObject({ cause: "exit", exit_code: 0 });
    expect(story.ended).not.toHaveProperty("leftovers");
  });

  test("gets a warning of check", async () => {
    const { stdout } = await guest().asRoot("nixgate check");
    expect(`${stdout}`).toContain("this host has no cgroup v2");
  });
});

describe("a kernel without the memory controller", () => {
  const guest = booted("no-memory", ["cgroup_disable=memory"]);

  test("is named in the message about a limit of memory", async () => {
    const { exitCode, stderr } = await attempt(guest(), "demon");
    expect(exitCode, `${stderr}`).toBe(69);
    expect(lineOf(stderr)).toMatch(
      /: (?:team_)?limits\.MemoryMax needs memory\.max of cgroup v2, which is missing: .* no memory controller for it$/,
    );
    const { stdout } = await guest().asRoot("nixgate check");
    expect(`${stdout}`).toContain("the kernel has no memory controller");
  });
});
