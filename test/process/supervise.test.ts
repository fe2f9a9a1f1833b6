import { execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { constants } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { session } from "../support/run-session.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { waitFor } from "../support/wait-for.ts";
import { NIXGATE, workplace } from "../support/workplace.ts";

const run = (words: readonly string[], environment = {}) =>
  spawnSync(NIXGATE, words, { encoding: "utf8", env: { PATH: "/usr/bin:/bin", ...environment } });

describe("nixgate supervise", () => {
  test("says how it is started when systemd has passed it nothing", () => {
    const place = workplace();
    const { status, stderr } = run(["supervise", "--config-dir", place.config]);
    expect(status).toBe(69);
    expect(stderr).toMatch(/^nixgate: systemd has passed no FIFO\nnixgate: .*render units.*\n$/);
  });

  test("takes no other words", () => {
    expect(run(["supervise", "now"]).status).toBe(64);
  });
});

/** A process that waits for a line, and handles signals. */
async function reader() {
  const words = ["read-request", "4096", "60000", "alpha", "", "2"];
  const child = spawn(NIXGATE, words, { env: { PATH: "/usr/bin:/bin" }, stdio: "pipe" });
  const ended = once(child, "exit");
  const handles = (number: number) => {
    const caught = /^SigCgt:\t(\w+)$/m.exec(readFileSync(`/proc/${child.pid}/status`, "utf8"))?.[1] ?? "0";
    return (BigInt(`0x${caught}`) & (1n << BigInt(number - 1))) !== 0n;
  };
  await waitFor("its handlers", () => [constants.signals.SIGTERM, constants.signals.SIGCONT].every(handles));
  return { child, ended, kill: (signal: NodeJS.Signals) => child.kill(signal) };
}

describe("nixgate read-request", () => {
  test.each([[[]], [["4096"]], [["0", "1000", "alpha", "", "2"]], [["4096", "1000", "alpha", ""]]])(
    "called by hand with %j, is a usage error",
    (words) => {
      expect(run(["read-request", ...words])).toMatchObject({ status: 64, stdout: "" });
    },
  );

  test("ends by SIGTERM with 143, and keeps the connection for the supervisor's words where systemd sent it", async () => {
    const alone = await reader();
    alone.kill("SIGTERM");
    expect(await alone.ended).toEqual([143, null]);
    const stopped = await reader();
    // systemd's KillSignal= is followed by SIGCONT (systemd.kill(5))
    for (const signal of ["SIGTERM", "SIGCONT"] as const) stopped.kill(signal);
    await sleep(2000);
    expect([stopped.child.exitCode, stopped.child.signalCode]).toEqual([null, null]);
    stopped.kill("SIGTERM");
    expect(await stopped.ended).toEqual([143, null]);
  });
});

describe("nixgate-shim", () => {
  test("on a host that is not set up for the team says so, and who mends it", () => {
    const shim = join(NIXGATE, "../nixgate-shim");
    for (const shell of ["/bin/sh", "/bin/bash"]) {
      const done = spawnSync(shell, [shim, "alpha", "ci"], { encoding: "utf8" });
      expect(done).toMatchObject({
        status: 78,
        stdout: "",
        stderr: "nixgate: this builder is not set up for team alpha: its administrator runs nixgate apply\n",
      });
    }
  });

  test("is what nixgate session becomes where the supervisor serves", async () => {
    const place = workplace();
    place.edit("nixgate.toml", /manager = "\w+"/, 'manager = "system"');
    const { status, stderr } = await session(place, { request: "nix-daemon --stdio" });
    expect({ status, stderr }).toEqual({
      status: 78,
      stderr: "nixgate: this builder is not set up for team alpha: its administrator runs nixgate apply\n",
    });
  });
});

test("explain says what a shim would run, in a scope of the system's", () => {
  const place = workplace();
  place.edit("nixgate.toml", /manager = "\w+"/, 'manager = "system"');
  const words = ["explain", "--team", "alpha", "--json", "--config-dir", place.config, "--", "nix-daemon", "--stdio"];
  const { command_line, argv, environment, slice, properties } = JSON.parse(run(words).stdout);
  const assignments = Object.entries(environment).map(([name, value]) => `${name}=${value}`);
  expect(command_line).toEqual(["env", "-i", ...assignments, "setpriv", "--no-new-privs", "--", ...argv]);
  expect(Object.keys(environment)).not.toContain("XDG_RUNTIME_DIR");
  expect(slice).toBe("nixgate-alpha.slice");
  expect(properties).toHaveProperty("TimeoutStopSec");
});

test("render units prints units that systemd would read, each where it belongs", () => {
  const place = workplace();
  const out = temporaryFolder("units");
  const done = run(["render", "units", "--config-dir", place.config, "--output", out]);
  expect(done.status, done.stderr).toBe(0);
  expect(done.stderr).toContain("there is no account alpha or nix-alpha on this host");
  const service = execFileSync("cat", [join(out, "etc/systemd/system/nixgate.service")], { encoding: "utf8" });
  expect(service).toContain(`ExecStart=${NIXGATE} supervise --config-dir ${place.config}\n`);
  expect(service).toContain("Sockets=nixgate.socket\n");
});
