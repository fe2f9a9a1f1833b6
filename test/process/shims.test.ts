import { execFileSync, spawn } from "node:child_process";
import { copyFileSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { NAMES_READ } from "../../src/session/requests/ssh-environment.ts";
import { shimProcessOf } from "../../src/supervisor/shim/shim-process.ts";
import { environmentIn, valuesIn } from "../../src/system/kernel/environment.ts";
import { readFirst } from "../../src/system/kernel/kernel-files.ts";
import { readUserAuth } from "../../src/system/session/user-auth.ts";
import type { Pid } from "../../src/units/ids.ts";
import { pidOf } from "../support/processes.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { waitFor } from "../support/wait-for.ts";

const uid = process.getuid?.() ?? 0;

/** A process that looks like a shim of team alpha's. */
function shim(environment: NodeJS.ProcessEnv, ...words: string[]) {
  const path = join(temporaryFolder("shim"), "nixgate-shim");
  copyFileSync("test/fixtures/programs/stopped.sh", path);
  const child = spawn("/bin/sh", [path, "alpha", ...words], { env: environment, stdio: "ignore" });
  onTestFinished(() => void child.kill("SIGKILL"));
  return pidOf(child);
}
const large = (count: number) =>
  Object.fromEntries(Array.from({ length: count }, (_, n) => [`V${n}`, "x".repeat(100_000)]));

test("a shim with a request of 128 KiB is one", async () => {
  const pid = shim({ SSH_ORIGINAL_COMMAND: "y".repeat(131_000 - 21) });
  const found = await waitFor("the shim", async () => {
    const seen = await shimProcessOf(pid, "alpha", uid);
    return typeof seen === "string" ? undefined : seen;
  });
  const environment = await found.environment();
  if (typeof environment === "string") throw new Error(environment);
  expect(environment.get("SSH_ORIGINAL_COMMAND")).toHaveLength(130_979);
  found.close();
});

const found = (pid: Pid) =>
  waitFor("the shim", async () => {
    const seen = await shimProcessOf(pid, "alpha", uid);
    return typeof seen === "string" ? undefined : seen;
  });

test("an environment without bounds is not read to its end", async () => {
  const seen = await found(shim(large(8)));
  expect(await seen.environment()).toBe("its environ has more than 524288 bytes");
  seen.close();
});

test("of a command line no more is read than is asked for", async () => {
  const line = "a".repeat(8000);
  const seen = await found(shim({}, "bob", "2", line, ...Object.values(large(8))));
  expect(await seen.words()).toEqual(["alpha", "bob", "2"]);
  expect(await seen.words(10_000)).toEqual(["alpha", "bob", "2", line]);
  seen.close();
});

test("five values are found in half a MiB of empty entries", () => {
  const block = Buffer.concat([
    Buffer.from("SSH_CLIENT=a\0XSSH_TTY=b\0SSH_TTY=\0"),
    Buffer.alloc(500_000),
    Buffer.from("SSH_CLIENT=c\0SSH_CONNECTION=d e\0SSH_ORIGINAL_COMMAND=x=\xff"),
  ]);
  const values = valuesIn(block, NAMES_READ);
  const all = new Map([...environmentIn(block)].filter(([name]) => name.startsWith("SSH_")));
  for (const [name, value] of values)
    expect(Buffer.from(value).equals(all.get(name) ?? Buffer.alloc(1)), name).toBe(true);
  expect([...values.keys()].sort()).toEqual(["SSH_CLIENT", "SSH_CONNECTION", "SSH_ORIGINAL_COMMAND", "SSH_TTY"]);
});

test("a file that grows is read as far as it may be large", () => {
  const path = join(temporaryFolder("growing"), "file");
  writeFileSync(path, "x");
  truncateSync(path, 1 << 30);
  expect(readFirst(path, 100_000)).toHaveLength(100_000);
});

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

test("a file system that is mounted where sshd's file would be is not asked for anything", () => {
  const folder = temporaryFolder("mounted");
  const path = `/tmp/sshauth.mounted${process.pid}`;
  onTestFinished(() => rmSync(path, { force: true }));
  for (const name of [path, join(folder, "auth")]) writeFileSync(name, "publickey ssh-ed25519 AAAA\n", { mode: 0o600 });
  const module = new URL("../../src/system/session/user-auth.ts", import.meta.url).pathname;
  const program = `import { readUserAuth } from ${JSON.stringify(module)};
    console.log(readUserAuth(new Map([["SSH_USER_AUTH", Buffer.from(${JSON.stringify(path)})]]), process.getuid())?.type ?? "none");`;
  const read = (mount: string) =>
    execFileSync(
      "unshare",
      ["-Urm", "sh", "-c", `${mount} exec "$@"`, "sh", process.execPath, "--input-type=module", "-e", program],
      {
        encoding: "utf8",
      },
    );
  expect(read("")).toBe("ssh-ed25519\n");
  expect(read(`mount --bind ${join(folder, "auth")} ${path} &&`)).toBe("none\n");
});
