import { execFileSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, readlinkSync } from "node:fs";
import { execa } from "execa";
import { describe, expect } from "vitest";
import type { Suite } from "../../tools/machine/debian.ts";
import { startGuest, stopGuest } from "../../tools/machine/guest.ts";
import { children } from "../../tools/machine/processes.ts";
import { settings } from "../../tools/machine/settings.ts";
import { runFolder } from "../../tools/machine/state.ts";
import { ADDRESS, inNetwork } from "../../tools/machine/talk.ts";
import { clientNix } from "./client.ts";
import { supervised } from "./managers.ts";
import { Guest, test } from "./support.ts";

const TEAMS = ["alpha", "beta", "gamma"];
const SERVE = Buffer.from("eb9d0c39000000000702000000000000", "hex");
const say = () => {};

describe("the guest", () => {
  test("is a running systemd with nothing failed", async ({ guest }) => {
    expect(await text(guest, "systemctl is-system-running")).toBe("running");
    expect(await text(guest, "systemctl --failed --quiet --no-legend")).toBe("");
  });

  test.for(["cpu", "io", "memory", "pids"])("has the controller %s of cgroup v2", async (controller, { guest }) => {
    expect((await text(guest, "cat /sys/fs/cgroup/cgroup.controllers")).split(" ")).toContain(controller);
  });

  test.for(TEAMS)("has a user manager for nix-%s, where scopes are its own", async (team, { guest }) => {
    const { stdout } = await guest.asAccount(`nix-${team}`, "systemctl --user is-system-running");
    expect(`${stdout}`.trim()).toMatch(supervised(guest) ? /^(offline)?$/ : /^running$/);
    if (supervised(guest)) return; // logind knows an account with a manager or a session alone
    expect(await text(guest, `loginctl show-user nix-${team} --property=Linger --value`)).toBe("yes");
  });

  test.for(TEAMS)("has a builder's Nix in multi-user mode for nix-%s", async (team, { guest }) => {
    const { stdout, stderr } = await guest.asAccount(`nix-${team}`, "echo hello >f; nix-store --add f");
    expect(`${stderr}`).toBe("");
    expect(`${stdout}`).toMatch(/^\/nix\/store\/\w{32}-f\n$/);
    expect(await text(guest, `stat -c %U ${stdout}`)).toBe("root");
  });

  test("builds in Nix's sandbox with the /bin/sh that it has there", async ({ guest }) => {
    const expression =
      'derivation { name = "built"; system = "x86_64-linux"; builder = "/bin/sh"; args = [ "-c" "echo built in $PWD > $out" ]; }';
    const { stdout, stderr } = await guest.asAccount(
      "nix-alpha",
      `cat >b.nix <<'EOF'\n${expression}\nEOF\ncat "$(nix-build --no-out-link b.nix)"`,
    );
    expect(`${stdout}`, `${stderr}`).toBe("built in /build\n");
  });

  test("has nixgate as a user would install it, on the project's own Node", async ({ guest }) => {
    const { version } = JSON.parse(readFileSync("package.json", "utf8"));
    expect(await text(guest, "readlink -f /usr/local/bin/nixgate")).toBe(
      "/usr/local/lib/node_modules/nixgate/bin/nixgate",
    );
    expect(await text(guest, "ls /usr/local/lib/node_modules/nixgate/src 2>&1 | tail -1")).toMatch(/No such file/);
    expect(JSON.parse(await text(guest, "cat /usr/local/lib/node_modules/nixgate/package.json")).version).toBe(version);
    expect(await text(guest, "node --version")).toBe(process.version);
  });

  test.for(TEAMS)("starts nixgate for each login as nix-%s, from inside and outside", async (team, { guest }) => {
    const outside = await guest.ssh(`nix-${team}`, "nix-store --serve", { input: SERVE });
    expect(outside.stdout.subarray(0, 8).toString("hex"), `${outside.stderr}`).toBe("cbee525400000000");
    const inside = await guest.asRoot(`ssh nix-${team}@localhost true`);
    expect(inside.exitCode).toBe(77);
    expect(await text(guest, `stat -c '%U %a' /var/log/nixgate/${team}`)).toBe(
      supervised(guest) ? "root 750" : `nix-${team} 750`,
    );
  });
});

describe("a client of another suite", () => {
  test.for<Suite>(["bookworm", "forky"])("%s's Nix copies to the guest and back", async (suite, { guest }) => {
    const client = await clientNix(guest.state, suite);
    const store = client.store("ssh", "nix-alpha");
    const nix = ["nix", "--extra-experimental-features", "nix-command"];
    const path =
      `${(await client.run(["sh", "-c", `echo ${suite} >/root/${suite}; nix-store --add /root/${suite}`])).stdout}`.trim();
    expect(path).toMatch(/^\/nix\/store\//);
    const there = await client.run([...nix, "copy", "--no-check-sigs", "--to", store, path]);
    expect(there.exitCode, `${there.stderr}`).toBe(0);
    expect(await text(guest, `cat ${path}`)).toBe(suite);
    await client.run(["nix-store", "--delete", path]);
    const back = await client.run([...nix, "copy", "--no-check-sigs", "--from", store, path]);
    expect(back.exitCode, `${back.stderr}`).toBe(0);
    expect(`${(await client.run(["cat", path])).stdout}`).toBe(`${suite}\n`);
  });
});

describe("two guests", () => {
  test("run at once, and leave nothing behind when they stop", async ({ guest }) => {
    const options = { ...settings({ ...process.env, NAME: `second-${process.pid}` }), outlives: false };
    const shared = readdirSync("/dev/shm");
    const second = new Guest(await startGuest(options, say));
    const { holder } = second.state;
    const network = readlinkSync(`/proc/${holder.pid}/ns/net`);
    const everything = [holder.pid, ...descendants(holder.pid)];
    expect(everything.length).toBeGreaterThan(2);
    await second.asRoot("touch /root/second");
    expect((await guest.asRoot("ls /root/second")).exitCode).not.toBe(0);
    expect(`${execFileSync("ip", ["-o", "link"])}`).not.toContain("tap0");

    await stopGuest(options.name);
    // The last of them is this process's own child, and a zombie until Node has asked for its status.
    await expect.poll(() => everything.filter((pid) => existsSync(`/proc/${pid}`))).toEqual([]);
    expect(namespaces()).not.toContain(network);
    expect(existsSync(runFolder(options.name))).toBe(false);
    expect(readdirSync("/dev/shm").filter((file) => !shared.includes(file))).toEqual([]);
    expect(readFileSync("/proc/mounts", "utf8")).not.toContain("nixgate-machine");
    expect(await text(guest, "systemctl is-system-running")).toBe("running");
  });
});

test("a command on the host can reach the guest in its network", async ({ guest }) => {
  const [file, ...words] = [...inNetwork(guest.state), "ssh-keyscan", "-t", "ed25519", ADDRESS];
  expect((await execa(file as string, words)).stdout).toContain("ssh-ed25519");
});

const text = async (guest: Guest, command: string): Promise<string> => `${(await guest.asRoot(command)).stdout}`.trim();

const descendants = (pid: number): number[] => children(pid).flatMap((child) => [child, ...descendants(child)]);

/** The network namespaces that any process of this host is in. */
function namespaces(): string[] {
  return readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        return [readlinkSync(`/proc/${pid}/ns/net`)];
      } catch {
        return []; // it ended meanwhile
      }
    });
}
