import { describe, expect } from "vitest";
import { waitFor } from "../../support/wait-for.ts";
import { awaitBuild, buildOn, noBuildLeft, startBuild, writeBuilders } from "../builds.ts";
import { allow, append, edit, editHost, restorePolicies } from "../policies.ts";
import { recordsOf } from "../records.ts";
import { backAgain, killSupervisor, neverBack, restarted, text } from "../supervision.ts";
import { type Guest, test as plain } from "../support.ts";

const ALPHA = "ssh-ng://nix-alpha@localhost";
const BETA = "ssh-ng://nix-beta@localhost";
/** alpha is an ordinary client of the daemon of its sessions; beta is trusted by its own. */
const BUILDS = '[builds]\nbounded_by = "session"';

const test = plain.extend<{ builder: Guest }>({
  builder: [
    async ({ guest }, use) => {
      await restorePolicies(guest);
      await writeBuilders(guest);
      await edit(guest, "alpha", 's/^RuntimeMaxSec.*/RuntimeMaxSec = "60s"/\ns/^CPUQuota.*/CPUQuota = "80%"/');
      await append(guest, "alpha", `${BUILDS}\nmax_log = "1M"`);
      await append(guest, "beta", `${BUILDS}\ntrust = true`);
      const { stderr, exitCode } = await guest.asRoot("nixgate apply --yes");
      expect({ exitCode, stderr: `${stderr}` }).toEqual({ exitCode: 0, stderr: "" });
      await use(guest);
      await restorePolicies(guest);
      await guest.asRoot("nixgate apply --yes");
    },
    { scope: "file" },
  ],
});

const endAfter = (guest: Guest, before: number) =>
  waitFor("the command's end", async () => (await recordsOf(guest, "alpha", "command.end"))[before], 60_000);
const count = async (guest: Guest) => (await recordsOf(guest, "alpha", "command.end")).length;

describe("a build is in the slice of its session's command", () => {
  test("by its own /proc/self/cgroup, and the limits of the policy are in force there", async ({ builder }) => {
    const before = await count(builder);
    const { stdout, stderr } = await buildOn(builder, ALPHA, "where");
    const start = (await recordsOf(builder, "alpha", "command.start")).at(-1);
    const slice = `nixgate-alpha-${`${start?.session}-1`.replaceAll("-", "\\x2d")}.slice`;
    const service = `${start?.unit?.replace(".scope", "")}-builds.service`;
    expect(await text(builder, `cat ${stdout}`), `${stderr}`).toBe(
      `0::/nixgate.slice/nixgate-alpha.slice/${slice}/${service}`,
    );
    expect(start).toMatchObject({
      builds_bounded_by: "session",
      limits: { applied: { TasksMax: "64", MemoryMax: `${256 << 20}`, CPUQuota: "80000 100000" } },
    });
    expect(await endAfter(builder, before)).toMatchObject({ cause: "exit", exit_code: 0, leftovers: 0 });
    await noBuildLeft(builder);
  });

  test("also through the build hook over ssh://, for a trusted client", async ({ builder }) => {
    const hook = `NIX_REMOTE='local?root=/root/hook' nix-build --no-out-link /root/builders.nix --argstr which where --argstr stamp $(date +%s%N) --max-jobs 0 --builders 'ssh://nix-beta@localhost x86_64-linux'`;
    const { stdout, stderr } = await builder.asRoot(hook);
    expect(await text(builder, `cat ${stdout}`), `${stderr}`).toContain(
      "/nixgate.slice/nixgate-beta.slice/nixgate-beta-",
    );
    await noBuildLeft(builder);
  });

  test("and no client of it can collect garbage, trusted or not", async ({ builder }) => {
    const path = `${(await buildOn(builder, ALPHA, "small")).stdout}`.trim();
    for (const store of [ALPHA, BETA]) {
      const gc = await builder.asRoot(`nix store gc --store ${store}`);
      const remove = await builder.asRoot(`nix store delete --store ${store} ${path}`);
      expect([gc.exitCode, remove.exitCode]).toEqual([1, 1]);
      expect(`${gc.stderr}`).toContain("Read-only file system");
    }
    expect(await text(builder, `nix-store --check-validity ${path} && echo valid`)).toBe("valid");
    await noBuildLeft(builder);
  });
});

describe("a limit of the session ends or holds its builds", () => {
  test("a fork bomb: tasks-limit, one line for the client, and another team builds meanwhile", async ({ builder }) => {
    const before = await count(builder);
    const bomb = startBuild(builder, ALPHA, "bomb");
    let said = "";
    bomb.stderr?.on("data", (chunk: Buffer) => {
      said += chunk;
    });
    await waitFor("the line", () => said.includes("nixgate: limit of 64 tasks reached"), 60_000);
    expect((await buildOn(builder, BETA, "small")).exitCode).toBe(0);
    const end = await endAfter(builder, before);
    expect(end).toMatchObject({ cause: "tasks-limit", limit_of: "own", usage: { tasks_peak: 64 } });
    expect(end.usage.tasks_refused).toBeGreaterThan(0);
    await noBuildLeft(builder);
  });

  test("a memory hog: oom, whatever Nix exits with", async ({ builder }) => {
    const before = await count(builder);
    expect((await buildOn(builder, ALPHA, "hog")).exitCode).not.toBe(0);
    const end = await endAfter(builder, before);
    expect(end).toMatchObject({ cause: "oom", limit_of: "own", usage: { oom_kills: 1 } });
    expect(end.usage.memory_peak_bytes).toBe(256 << 20);
    await noBuildLeft(builder);
  });

  test("an endless run: timeout, with the build's CPU time", async ({ builder }) => {
    const before = await count(builder);
    await edit(builder, "alpha", 's/^RuntimeMaxSec.*/RuntimeMaxSec = "10s"/');
    const { stderr, exitCode } = await buildOn(builder, ALPHA, "endless");
    await edit(builder, "alpha", 's/^RuntimeMaxSec.*/RuntimeMaxSec = "60s"/');
    expect(exitCode).not.toBe(0);
    expect(`${stderr}`).toContain("nixgate: run time limit of 10s reached");
    const end = await endAfter(builder, before);
    expect(end).toMatchObject({ cause: "timeout", status: 143 });
    expect(end.usage.cpu_ms).toBeGreaterThan(1000);
    await noBuildLeft(builder);
  });

  test("a flood of the log: Nix ends it at max_log of the policy", async ({ builder }) => {
    const { stderr, exitCode } = await buildOn(builder, ALPHA, "flood");
    expect(exitCode).not.toBe(0);
    expect(`${stderr}`).toMatch(/more than 1048576 bytes of log/);
    await noBuildLeft(builder);
  });
});

describe("no build outlives its session", () => {
  test("whose client is gone", async ({ builder }) => {
    const before = await count(builder);
    startBuild(builder, ALPHA, "endless");
    await awaitBuild(builder);
    await builder.asRoot("pkill -KILL -x nix-build");
    expect(["client-gone", "exit"]).toContain((await endAfter(builder, before)).cause); // Nix itself may see it first
    await noBuildLeft(builder);
  });

  test("that sessions kill ends", async ({ builder }) => {
    const before = await count(builder);
    startBuild(builder, ALPHA, "endless");
    await awaitBuild(builder);
    const { session } = (await recordsOf(builder, "alpha", "session.start")).at(-1) ?? {};
    await builder.asRoot(`nixgate sessions kill ${session}`);
    expect(await endAfter(builder, before)).toMatchObject({ cause: "killed-by-admin" });
    await noBuildLeft(builder);
  });

  test("when the supervisor was killed meanwhile and is there again", async ({ builder }) => {
    const before = await count(builder);
    await edit(builder, "alpha", 's/^RuntimeMaxSec.*/RuntimeMaxSec = "25s"/');
    startBuild(builder, ALPHA, "endless");
    await awaitBuild(builder);
    await edit(builder, "alpha", 's/^RuntimeMaxSec.*/RuntimeMaxSec = "60s"/');
    await killSupervisor(builder);
    await restarted(builder);
    const end = await endAfter(builder, before);
    expect(end).toMatchObject({ cause: "timeout" });
    expect(end.usage.cpu_ms).toBeGreaterThan(2000);
    await noBuildLeft(builder);
  });

  test("where no supervisor comes back: systemd ends the daemon with the command's unit", async ({ builder }) => {
    const before = await count(builder);
    await edit(builder, "alpha", 's/^RuntimeMaxSec.*/RuntimeMaxSec = "20s"/'); // systemd's own is 5 s longer
    startBuild(builder, ALPHA, "endless");
    await awaitBuild(builder);
    await edit(builder, "alpha", 's/^RuntimeMaxSec.*/RuntimeMaxSec = "60s"/');
    await neverBack(builder);
    await builder.asRoot("pkill -KILL -x nix-build");
    await noBuildLeft(builder, 120_000);
    await backAgain(builder);
    await restarted(builder);
    expect(await endAfter(builder, before)).toMatchObject({ cause: "supervisor-lost" });
  });

  test("whose daemon dies in mid-build", async ({ builder }) => {
    const before = await count(builder);
    const client = startBuild(builder, ALPHA, "endless");
    await awaitBuild(builder);
    await builder.asRoot("pkill -KILL -f '^nix-daemon --daemon --store local'");
    await new Promise((resolve) => client.once("close", resolve));
    expect(client.exitCode).not.toBe(0);
    await endAfter(builder, before);
    await noBuildLeft(builder);
  });
});

describe("a build elsewhere", () => {
  test("at the host's own daemon is found, and its session ends with scope-failed", async ({ builder }) => {
    const before = await count(builder);
    const elsewhere = "nix-build --no-out-link --store unix:///nix/var/nix/daemon-socket/socket /tmp/builders.nix";
    await builder.asRoot("cp /root/builders.nix /tmp; chmod 644 /tmp/builders.nix");
    const stamp = "--argstr which endless --argstr stamp $(date +%s%N)";
    await allow(builder, "alpha", { elsewhere: ["/bin/sh", "-c", `exec ${elsewhere} ${stamp}`] });
    const { stderr } = await builder.ssh("nix-alpha", "elsewhere");
    expect(await endAfter(builder, before)).toMatchObject({ cause: "scope-failed" });
    expect(`${stderr}`).toContain("nixgate: ended because a build ran outside of the limits of its session");
    await noBuildLeft(builder);
  });

  test("is out of reach for a confined command, whose own builds are bounded as well", async ({ builder }) => {
    await editHost(builder, 's/^manager = "system".*/&\\nconfine = true/');
    await allow(builder, "alpha", { reach: ["/bin/sh", "-c", "ls /nix/var/nix/daemon-socket/ 2>&1; exit 0"] });
    const { stdout } = await builder.ssh("nix-alpha", "reach");
    expect(`${stdout}`).toContain("Permission denied");
    const built = await buildOn(builder, ALPHA, "where");
    expect(await text(builder, `cat ${built.stdout}`), `${built.stderr}`).toContain("-builds.service");
    await noBuildLeft(builder);
  });
});
