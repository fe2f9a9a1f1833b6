import { spawnSync } from "node:child_process";
import { chmodSync, cpSync, existsSync, mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { temporaryFolder } from "../support/temporary.ts";
import { NIXGATE, workplace } from "../support/workplace.ts";

/** bin/nixgate in a tree of its own without dist/node, and a folder for each Node.js: scripts that say a version. */
function tree(...versions: readonly string[]) {
  const folder = temporaryFolder("launcher");
  mkdirSync(join(folder, "bin"));
  cpSync("bin/nixgate", join(folder, "bin/nixgate"));
  const folders = versions.map((version, at) => {
    const path = join(folder, `node-${at}`);
    mkdirSync(path);
    const script = `#!/bin/sh
[ "$1" = --version ] && { echo ${version}; exit; }
echo "${version} NODE_OPTIONS=$NODE_OPTIONS $*" >>${folder}/ran`;
    writeFileSync(join(path, "node"), script);
    chmodSync(join(path, "node"), 0o755);
    return path;
  });
  const ran = () => existsSync(join(folder, "ran"));
  const run = (...words: string[]) =>
    execa(join(folder, "bin/nixgate"), words, {
      env: { PATH: `${folders.join(":")}:/usr/bin:/bin`, NODE_OPTIONS: "--inspect" },
      extendEnv: false,
      reject: false,
    });
  return { folder, ran, run };
}
const SYSTEM = await execa("/usr/bin/node", ["--version"], { reject: false });
const [major = 0] = /\d+/.exec(`${SYSTEM.stdout}`)?.map(Number) ?? [];
const isNew = major >= 22 ? "the system's own Node.js is new enough" : undefined;

test.skipIf(isNew).each([
  [["v20.19.2", "v22.14.0", "v22.15.0", "v24.1.0"], "v22.15.0"],
  [["v23.10.0", "v23.11.0"], "v23.11.0"],
  [["v26.0.0"], "v26.0.0"],
])(`of %j it is %s that runs${isNew ? ` (${isNew})` : ""}`, async (versions, chosen) => {
  const { folder, run } = tree(...versions);
  expect((await run("sessions", "list")).exitCode).toBe(0);
  const { stdout } = await execa("cat", [join(folder, "ran")]);
  expect(stdout).toMatch(new RegExp(`^${chosen} NODE_OPTIONS= .*/bin/nixgate\\.cjs sessions list$`));
});

test.skipIf(isNew)(`without one that is new enough it says which it found${isNew ? ` (${isNew})` : ""}`, async () => {
  const { ran, run } = tree("v22.14.0", "v18.0.0");
  const { exitCode, stderr } = await run("check");
  expect(exitCode).toBe(69);
  expect(stderr).toMatch(/^nixgate: no Node\.js of version 22\.15 or newer was found\. /);
  expect(stderr).toMatch(/-0\/node is v22\.14\.0\. .*-1\/node is v18\.0\.0\./);
  expect(ran()).toBe(false);
});

test("for a session none is looked up in a PATH that the client sent", async () => {
  const { ran, run } = tree("v24.1.0");
  await run("session", "--team", "alpha", "--config-dir", "/nonexistent");
  expect(ran()).toBe(false);
});

describe("limits of the account on Node.js itself (limits.conf(5))", () => {
  /** Runs nixgate with a lower limit, as pam_limits(8) sets it. */
  const limited = (limit: string, ...words: readonly string[]) => {
    const { folder, ran } = tree("v24.1.0");
    const script = `ulimit ${limit} && exec "$0" "$@"`;
    const { status, stderr } = spawnSync("/bin/sh", ["-c", script, join(folder, "bin/nixgate"), ...words], {
      env: { PATH: `${folder}/node-0:/usr/bin:/bin` },
      encoding: "utf8",
    });
    return { status, stderr, ran: ran() };
  };

  test.each([
    ["-v 1048576", "1048576 KiB of address space (as), and 2097152 are needed"],
    ["-S -v 1048576", "1048576 KiB of address space (as), and 2097152 are needed"],
    ["-d 262144", "262144 KiB of data (data), and 1048576 are needed"],
    ["-n 24", "24 open files (nofile), and 64 are needed"],
  ])("ulimit %s is told in one line, with 69, and no Node.js is started", (limit, said) => {
    for (const words of [
      ["session", "--team", "alpha"],
      ["sessions", "list"],
    ])
      expect(limited(limit, ...words)).toEqual({
        ...{ status: 69, ran: false },
        stderr: `nixgate: the limits of this account allow ${said}\n`,
      });
  });

  test.each(["-v 2097152", "-d 1048576", "-n 64", "-S -n 24"])("ulimit %s is enough", (limit) => {
    expect(limited(limit, "sessions", "list").ran).toBe(true);
  });

  test.each(["-v 2097152", "-d 1048576", "-n 64"])("a session is served under ulimit %s", (limit) => {
    const place = workplace();
    place.allow("ok", ["/bin/echo", "ok"]);
    place.edit("policies/alpha.toml", /^MemoryMax = .*$/m, 'MemoryMax = "infinity"');
    const script = `ulimit ${limit} && exec "$0" session --team alpha --config-dir ${place.config}`;
    const env = { PATH: "/usr/bin:/bin", SSH_ORIGINAL_COMMAND: "ok", SSH_CONNECTION: "192.0.2.7 50022 192.0.2.1 22" };
    const { status, stdout, stderr } = spawnSync("/bin/sh", ["-c", script, NIXGATE], { env, encoding: "utf8" });
    expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: "ok\n", stderr: "" });
  });
});

test.each([
  ["TypeError", 70, "this is a bug in nixgate: nobody may know"],
  ["EMFILE", 69, "this account may open no more files (nofile of limits.conf(5))"],
])("an error outside of every session (%s) is one line for the client, without a trace", (kind, status, said) => {
  const preload = join(temporaryFolder("preload"), "throw.cjs");
  const error =
    kind === "EMFILE" ? 'Object.assign(new Error("nobody"), { code: "EMFILE" })' : 'new TypeError("nobody may know")';
  writeFileSync(preload, `process.getuid = () => { throw ${error}; };\n`);
  const words = ["--require", preload, "bin/nixgate.cjs", "session", "--team", "alpha"];
  const client = spawnSync("dist/node", words, { env: { PATH: "/usr/bin:/bin" }, encoding: "utf8" });
  expect({ status: client.status, stderr: client.stderr }).toEqual({ status, stderr: `nixgate: ${said}\n` });
});
