import { expect } from "vitest";
import { test } from "../support.ts";

test("nixgate demo serves its sessions in scopes where a manager answers", { timeout: 300_000 }, async ({ guest }) => {
  const linger =
    "loginctl enable-linger root; for i in $(seq 100); do [ -S /run/user/0/bus ] && break; sleep 0.1; done";
  const { exitCode, stdout, stderr } = await guest.asRoot(`${linger}; XDG_RUNTIME_DIR=/run/user/0 nixgate demo`);
  await guest.asRoot("loginctl disable-linger root");
  const said = `${stdout}`;
  expect(exitCode, said + stderr).toBe(0);
  expect(said).toContain('manager = "user": each command runs in a systemd scope of its own');
  expect(said.match(/the same on both sides/g)).toHaveLength(2);
  expect(said).toMatch(/scope-user|nixgate-ci-[0-9a-f-]{36}-1\.scope/);
});
