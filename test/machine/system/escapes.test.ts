import { describe, expect } from "vitest";
import { allow } from "../policies.ts";
import { recordsOf } from "../records.ts";
import { nothingLeft, test, text } from "../supervision.ts";

/** What a command of a session runs, as the account and in its scope. */
const CODE = { code: ["/bin/sh", "-s"] as [string, ...string[]] };

describe("code that a session runs", () => {
  test.beforeEach(async ({ builder }) => {
    await allow(builder, "alpha", CODE);
  });

  test("finds no unit that systemd would move it to", async ({ builder }) => {
    const manager = "org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager";
    const attach = `busctl call ${manager} AttachProcessesToUnit ssau`;
    const input = `
      for unit in user@$(id -u).service user-$(id -u).slice $(basename /sys/fs/cgroup/user.slice/user-$(id -u).slice/session-*.scope); do
        ${attach} $unit "" 1 $$ 2>&1
        grep -q /nixgate-alpha.slice/ /proc/$$/cgroup || echo "moved to $unit"
      done`;
    const { stdout, exitCode } = await builder.ssh("nix-alpha", "code", { input });
    expect(`${stdout}`).toMatch(/not available on non-delegated units|Access denied/);
    expect(`${stdout}`).not.toMatch(/^moved/m);
    expect(exitCode).toBe(0);
    const units = "systemctl show --property=Delegate --property=Id --value 'user@*.service' 'user-*.slice'";
    expect(await text(builder, `${units} | grep -B1 -x yes | grep -E '@100[123]' `)).toBe("");
    await nothingLeft(builder);
    expect((await recordsOf(builder, "alpha", "command.end")).at(-1)).toMatchObject({ cause: "exit", leftovers: 0 });
  });
});
