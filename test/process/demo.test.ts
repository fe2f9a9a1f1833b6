import { existsSync, mkdtempSync, readdirSync, realpathSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { execa } from "execa";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { processesWith } from "../support/processes.ts";
import { waitFor } from "../support/wait-for.ts";
import { NIXGATE } from "../support/workplace.ts";

/** Where the demo makes its folder: what it leaves behind is seen here. */
let temporary: string;
beforeEach(() => {
  temporary = realpathSync(mkdtempSync(join(tmpdir(), "nixgate-demo-test-")));
});
afterEach(() => rmSync(temporary, { recursive: true, force: true }));

vi.setConfig({ testTimeout: 60_000 });

const demo = (words: readonly string[] = [], environment: Readonly<Record<string, string>> = {}) =>
  execa(NIXGATE, ["demo", ...words], { reject: false, env: { TMPDIR: temporary, ...environment } });

const machineIsAsBefore = () => {
  expect(readdirSync(temporary)).toEqual([]);
  expect(processesWith(temporary)).toEqual([]);
};

test("copies over ssh:// and ssh-ng://, is refused once, shows the records, and leaves nothing behind", async () => {
  const before = [existsSync("/nix"), existsSync("/run/sshd")];
  const { exitCode, stdout, stderr } = await demo();
  expect({ exitCode, stderr }).toEqual({ exitCode: 0, stderr: "" });
  expect(stdout.match(/the same on both sides/g)).toHaveLength(2);
  expect(stdout).toContain("manager = ");
  expect(stdout).toMatch(/nix copy --to ssh:\/\/builder \/nix\/store/);
  expect(stdout).toMatch(/nix copy --to ssh-ng:\/\/builder \/nix\/store/);
  expect(stdout).toMatch(/not-allowlisted +exit 77/);
  expect(stdout).toContain("request 1 denied (not-allowlisted): cat /etc/passwd");
  expect(stdout).toContain("3 sessions");
  expect([existsSync("/nix"), existsSync("/run/sshd")]).toEqual(before);
  machineIsAsBefore();
});

test("--keep leaves the folder, and says where", async () => {
  const { exitCode, stdout } = await demo(["--keep"]);
  expect(exitCode).toBe(0);
  const [folder = ""] = readdirSync(temporary);
  expect(stdout).toContain(`Everything is left in ${join(temporary, folder)}`);
  expect(readdirSync(join(temporary, folder))).toEqual(expect.arrayContaining(["client", "etc", "log", "server"]));
  expect(processesWith(temporary)).toEqual([]);
});

test.each(["SIGINT", "SIGTERM"] as const)("%s in the middle ends it, and leaves nothing behind", async (signal) => {
  const running = demo();
  let said = "";
  running.stdout?.on("data", (chunk) => {
    said += chunk;
  });
  await waitFor("sshd", () => said.includes("it listens on"));
  running.kill(signal);
  const { exitCode, stderr } = await running;
  expect({ exitCode, stderr }).toEqual({ exitCode: 130, stderr: "nixgate: interrupted" });
  machineIsAsBefore();
});

test("a path that does not arrive as it was fails the demo", async () => {
  const bin = join(temporary, "bin");
  await execa("mkdir", [bin]);
  // says something else each time it is asked
  await execa("sh", ["-c", `printf '#!/bin/sh\\necho $$\\n' >${bin}/nix-hash; chmod +x ${bin}/nix-hash`]);
  const { exitCode, stderr } = await demo([], { PATH: `${bin}:${process.env["PATH"]}` });
  expect(exitCode).toBe(69);
  expect(stderr).toMatch(/is not the same on both sides/);
  expect(readdirSync(temporary)).toEqual(["bin"]);
});
