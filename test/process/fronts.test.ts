import { spawn } from "node:child_process";
import { copyFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { frontOf } from "../../src/system/supervise/front.ts";
import { readUserAuth } from "../../src/system/user-auth.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { waitFor } from "../support/wait-for.ts";

const uid = process.getuid?.() ?? 0;

/** A process that looks like a front of team alpha's. */
function front(environment: NodeJS.ProcessEnv, ...words: string[]) {
  const path = join(temporaryFolder("front"), "nixgate-front");
  copyFileSync("test/fixtures/programs/stopped.sh", path);
  const child = spawn("/bin/sh", [path, "alpha", ...words], { env: environment, stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  return child.pid as number;
}
const large = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`V${n}`, "x".repeat(100_000)]));

test("a front with a request of 128 KiB is one", async () => {
  const pid = front({ SSH_ORIGINAL_COMMAND: "y".repeat(131_000 - 21) });
  const found = await waitFor("the front", () => {
    const seen = frontOf(pid, "alpha", uid);
    return typeof seen === "string" ? undefined : seen;
  });
  expect(found.environment.get("SSH_ORIGINAL_COMMAND")).toHaveLength(130_979);
  found.close();
});

test.each([
  ["environ", large(8), []],
  ["cmdline", {}, Object.values(large(8))],
] as const)(
  "a process whose %s is without bounds is no front, and is not read to its end",
  async (file, environment, words) => {
    const pid = front(environment, ...words);
    await waitFor("its words", () => frontOf(pid, "alpha", uid) !== "it is no front of this team");
    expect(frontOf(pid, "alpha", uid)).toBe(`its ${file} has more than 524288 bytes`);
  },
);

test("a lease on the file that sshd names keeps nobody waiting", { timeout: 20_000 }, async () => {
  const path = `/tmp/sshauth.nixgate${process.pid}`;
  onTestFinished(() => rmSync(path, { force: true }));
  const program = `umask 077; open(F, "+>", shift) or die; syswrite F, "publickey ssh-ed25519 AAAA\\n";
    $SIG{IO} = sub {}; fcntl(F, 1024, 1) or die "no lease: $!"; $| = 1; print "held\\n"; sleep 60 while 1`;
  const holder = spawn("perl", ["-e", program, path], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(() => void holder.kill("SIGKILL"));
  await new Promise((resolve) => holder.stdout.once("data", resolve));
  const began = performance.now();
  expect(readUserAuth(new Map([["SSH_USER_AUTH", Buffer.from(path)]]), uid)).toBeUndefined();
  expect(performance.now() - began).toBeLessThan(2000);
  holder.kill("SIGKILL");
  await new Promise((resolve) => holder.once("exit", resolve));
  expect(readUserAuth(new Map([["SSH_USER_AUTH", Buffer.from(path)]]), uid)?.type).toBe("ssh-ed25519");
});
