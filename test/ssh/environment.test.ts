import { existsSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { afterAll, beforeAll, beforeEach, expect, test } from "vitest";
import { type Builder, startBuilder } from "../support/builder.ts";

let builder: Builder;
let trap: string;
beforeAll(async () => {
  builder = await startBuilder({
    sshd: ({ forced }) => ["AcceptEnv *", `ForceCommand ${forced}`],
    policy: () => '[[allow]]\nrequest = ["env"]\nrun = ["/usr/bin/env"]\nenvironment = { FROM_POLICY = "1" }\n',
  });
  trap = join(builder.folder, "trap.cjs");
  writeFileSync(trap, `require("fs").writeFileSync(${JSON.stringify(`${trap}.sprung`)}, "");`);
});
beforeEach(() => builder.mark());
afterAll(() => builder?.stop());

/** What an sshd with `AcceptEnv *` lets a client send. */
const hostile = (): Readonly<Record<string, string>> => ({
  NODE_OPTIONS: `--require=${trap}`,
  NODE_EXTRA_CA_CERTS: "/dev/zero",
  NODE_PATH: builder.folder,
  NIX_REMOTE: "daemon",
  NIX_CONF_DIR: "/nonexistent",
  XDG_RUNTIME_DIR: builder.folder,
  DBUS_SESSION_BUS_ADDRESS: "unix:path=/nonexistent",
  PATH: builder.folder,
  HOME: builder.folder,
  IFS: "/",
  LC_ALL: "nonsense",
  FROM_CLIENT: "1",
});
const sent = (environment: Readonly<Record<string, string>>) => [
  "-o",
  `SetEnv=${Object.entries(environment)
    .map(([name, value]) => `${name}=${value}`)
    .join(" ")}`,
];

test("the client's variables reach neither nixgate nor the command", async () => {
  const { status, stdout } = await builder.ssh([...sent(hostile()), "builder", "env"]);
  expect(status).toBe(0);
  const names = stdout
    .trim()
    .split("\n")
    .map((line) => line.split("=")[0]);
  const own = ["FROM_POLICY", "HOME", "LANG", "LOGNAME", "PATH", "SHELL", "USER"];
  expect(names.filter((name) => name !== "PWD").sort()).toEqual(own); // some shells set PWD for what they start
  expect(stdout).not.toContain(builder.folder);
  expect(existsSync(`${trap}.sprung`)).toBe(false);
});

test("without nixgate Node obeys NODE_OPTIONS, so the test would notice it", async () => {
  const env = { PATH: process.env["PATH"] ?? "", NODE_OPTIONS: `--require=${trap}` };
  expect(await builder.run([process.execPath, "-e", "0"], { env })).toMatchObject({ status: 0 });
  expect(existsSync(`${trap}.sprung`)).toBe(true);
});

test.each(["ssh", "ssh-ng"])("nix store ping over %s:// works with all of them set", async (scheme) => {
  const quoted = join(builder.folder, `env-${scheme}`);
  const { FROM_CLIENT, NIX_REMOTE, LC_ALL } = hostile();
  const words = Object.entries({ FROM_CLIENT, NIX_REMOTE, LC_ALL }).map(([name, value]) => `${name}=${value}`);
  writeFileSync(quoted, `Host *\n  SetEnv ${words.join(" ")}\nInclude ${builder.sshd.clientConfig}\n`);
  const env = { ...builder.clientEnvironment, NIX_SSHOPTS: `-F ${quoted}` };
  expect(await builder.run(["nix", "store", "ping", "--store", `${scheme}://builder`], { env })).toMatchObject({
    status: 0,
  });
});

test("a SSH_ORIGINAL_COMMAND of the client's own is a request like any other", async () => {
  const { status } = await builder.ssh([...sent({ SSH_ORIGINAL_COMMAND: "touch/tmp/nothing" }), "builder"]);
  expect(status).toBe(77);
  expect((await builder.awaitRecords("command.deny"))[0]).toMatchObject({ request: "touch/tmp/nothing" });
});

test("a SSH_ORIGINAL_COMMAND of the client's own does not replace the real request", async () => {
  const { status } = await builder.ssh([...sent({ SSH_ORIGINAL_COMMAND: "env" }), "builder", "uname"]);
  expect(status).toBe(77);
  expect((await builder.awaitRecords("command.deny"))[0]).toMatchObject({ request: "uname" });
});

test("a SSH_USER_AUTH of the client's own names no key that others could have written", async () => {
  const elsewhere = join(builder.folder, "forged");
  const named = `/tmp/sshauth.${process.pid}`;
  for (const [forged, mode] of [
    [named, 0o644], // as sshd calls it, and readable for others
    [elsewhere, 0o600],
  ] as const) {
    writeFileSync(forged, "publickey ssh-ed25519 AAAA\n", { mode });
    await builder.ssh([...sent({ SSH_USER_AUTH: forged }), "builder", "env"]);
  }
  rmSync(named);
  for (const start of await builder.awaitRecords("session.start", 2)) expect(start).not.toHaveProperty("key");
});
