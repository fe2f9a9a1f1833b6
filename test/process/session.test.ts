import { execFileSync, spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, readSync, writeFileSync, writeSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { processesWith } from "../support/processes.ts";
import { answerOf, session, startSession } from "../support/run-session.ts";
import { waitFor } from "../support/wait-for.ts";
import { NIXGATE, PROGRAMS, workplace } from "../support/workplace.ts";

const SESSION_LINE = /^nixgate: .+ \(session [0-9a-f-]{36}\)\n$/;

describe("one request", () => {
  test("a command keeps its own exit status, and the record says so", async () => {
    const place = workplace();
    place.allow("fail", ["/bin/sh", "-c", "exit 101"]);
    expect(await session(place, { request: "fail" })).toMatchObject({ status: 101, stderr: "" });
    expect(place.records().map(({ event }) => event)).toEqual([
      "session.start",
      "command.start",
      "command.end",
      "session.end",
    ]);
    expect(place.records()[2]).toMatchObject({ cause: "exit", exit_code: 101 });
    // a process that makes a session of its own is out of sight here, so that nobody can know that there was none
    expect(place.records()[2]).not.toHaveProperty("leftovers");
    expect(place.records()[0]).toMatchObject({ client: { ip: "192.0.2.7", port: 50022 }, isolation: "process" });
  });

  test("a signal becomes 128 + its number, told apart from a status that looks the same", async () => {
    const place = workplace();
    place.allow("signal", ["/bin/sh", "-c", "kill -9 $$"]);
    place.allow("status", ["/bin/sh", "-c", "exit 137"]);
    expect((await session(place, { request: "signal" })).status).toBe(137);
    expect((await session(place, { request: "status" })).status).toBe(137);
    const ends = place.records().filter(({ event }) => event === "command.end");
    expect(ends).toMatchObject([
      { cause: "signal", signal: "SIGKILL" },
      { cause: "exit", exit_code: 137 },
    ]);
  });

  test("a denial is one line on stderr with the session's id, nothing on stdout", async () => {
    const place = workplace();
    const { status, stdout, stderr } = await session(place, { request: "scp -t /tmp" });
    expect(status).toBe(77);
    expect(stdout.length).toBe(0);
    expect(stderr).toMatch(SESSION_LINE);
    const id = place.records()[0]?.session as string;
    expect(stderr).toContain(id);
  });

  test("a request's control characters reach neither the client's terminal nor the record raw", async () => {
    const place = workplace();
    const { status, stderr } = await session(place, { request: "nix-daemon \u001b[2J\u009b\r --stdio" });
    expect(status).toBe(65);
    expect(stderr).toMatch(SESSION_LINE);
    expect(stderr).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f]/);
    expect(place.records()[1]).toMatchObject({ event: "command.deny", reason: "malformed" });
  });

  test("SIGUSR1 opens no debugger", async () => {
    const place = workplace();
    place.allow("wait", ["/bin/sleep", "1"]);
    const child = startSession(place, { request: "wait" });
    const answer = answerOf(child);
    const begun = () => place.records().some(({ event }) => event === "command.start");
    await waitFor("the command", begun);
    child.kill("SIGUSR1");
    expect(await answer).toMatchObject({ status: 0, stderr: "" });
  });

  test("a request that is not UTF-8 is malformed, although Node would have mended it", async () => {
    const place = workplace();
    place.allow("x\ufffd", ["/bin/true"]);
    const script = `SSH_ORIGINAL_COMMAND=$(printf 'x\\377') exec "$0" session --team alpha --config-dir "$1"`;
    let status = 0;
    try {
      execFileSync("/bin/sh", ["-c", script, NIXGATE, place.config], { stdio: "pipe" });
    } catch (error) {
      status = (error as { status: number }).status;
    }
    expect(status).toBe(65);
  });

  test.each([
    ["NODE_OPTIONS", "--require=/nonexistent/evil.js"],
    ["NODE_PATH", "/tmp/evil"],
    ["BASH_ENV", "/nonexistent"],
    ["ENV", "/nonexistent"],
    ["NIX_REMOTE", "ssh://evil"],
    ["NIX_CONF_DIR", "/tmp/evil"],
    ["XDG_RUNTIME_DIR", "/tmp/evil"],
    ["DBUS_SESSION_BUS_ADDRESS", "unix:path=/tmp/evil"],
    ["PATH", "/tmp:/usr/bin:/bin"],
    ["HOME", "/tmp/evil"],
    ["IFS", "\u0001"],
    ["LANG", "xx_XX"],
  ])("%s from the client reaches neither nixgate nor the command", async (name, value) => {
    const place = workplace();
    place.allow("env", ["/usr/bin/env"]);
    const { status, stdout, stderr } = await session(place, { request: "env", environment: { [name]: value } });
    expect({ status, stderr }).toEqual({ status: 0, stderr: "" });
    const names = stdout
      .toString()
      .trim()
      .split("\n")
      .map((line) => line.split("=")[0]);
    // PWD and such are the shell's own that became the command
    expect(names.filter((it) => !["PWD", "OLDPWD", "SHLVL", "_"].includes(it as string)).sort()).toEqual([
      "HOME",
      "LANG",
      "LOGNAME",
      "PATH",
      "SHELL",
      "USER",
    ]);
    expect(stdout.toString()).not.toContain(value);
  });

  test("the policy's environment reaches the command", async () => {
    const place = workplace();
    place.allow("env", ["/usr/bin/env"], 'environment = { NIX_SSL_CERT_FILE = "/etc/ssl/certs/ca-certificates.crt" }');
    const { stdout } = await session(place, { request: "env" });
    expect(stdout.toString()).toContain("NIX_SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt\n");
  });

  test("a placeholder's word reaches the command as one argument, and is on record by itself", async () => {
    const place = workplace();
    place.allow("say {derivation^outputs} {store-path}", [
      "/usr/bin/printf",
      "%s\\n",
      "{store-path}",
      "{derivation^outputs}",
    ]);
    const path = "/nix/store/0123456789abcdfghijklmnpqrsvwxyz-x";
    const { stdout, status } = await session(place, { request: `say '${path}.drv^*' ${path}` });
    expect({ status, stdout: stdout.toString() }).toEqual({ status: 0, stdout: `${path}\n${path}.drv^*\n` });
    const matched = [
      { placeholder: "{derivation^outputs}", word: `${path}.drv^*` },
      { placeholder: "{store-path}", word: path },
    ];
    expect(place.records()[1]).toMatchObject({ event: "command.start", matched });

    expect((await session(place, { request: `say --help ${path}` })).status).toBe(77);
    expect((await session(place, { request: `say ${path}.drv ${path}/bin` })).status).toBe(77);
  });

  test("the command has fds 0, 1 and 2 and no other, still blocking", async () => {
    const place = workplace();
    place.allow("fds", [`${PROGRAMS}/show-fds.sh`]);
    const { stdout } = await session(place, { request: "fds", input: "the client's bytes" });
    const lines = stdout.toString().split("\n");
    const fds = lines.filter((line) => line.startsWith("fd "));
    // 3 is the shell's own, for the glob or the script
    expect(fds.filter((line) => Number(line.slice(3)) > 2 && Number(line.slice(3)) < 10)).toEqual(
      fds.includes("fd 3") ? ["fd 3"] : [],
    );
    const flags = lines.filter((line) => line.includes(":flags:")).map((line) => line.split("\t")[1] as string);
    expect(flags.map((octal) => Number.parseInt(octal, 8) & 0o4000)).toEqual([0, 0, 0]);
    expect(stdout.toString()).toContain("the client's bytes");
  });

  test("they are the very open files that sshd made: one position, for reading and for writing", async () => {
    const place = workplace();
    place.allow("take", ["/bin/sh", "-c", "IFS= read -r line; echo took $line; echo and said so >&2"]);
    const files = ["in", "out", "err"].map((name) => join(place.folder, name));
    writeFileSync(files[0] as string, "first\nsecond\n");
    const open = files.map((path, fd) => openSync(path, fd === 0 ? "r" : "w+"));
    writeSync(open[1] as number, "before\n");
    const child = startSession(place, { request: "take", stdio: open });
    expect((await answerOf(child)).status).toBe(0);
    writeSync(open[1] as number, "after\n");
    const rest = Buffer.alloc(7);
    readSync(open[0] as number, rest, 0, 7, null);
    expect(rest.toString()).toBe("second\n");
    const written = files.slice(1).map((path) => readFileSync(path, "utf8"));
    expect(written).toEqual(["before\ntook first\nafter\n", "and said so\n"]);
    for (const fd of open) closeSync(fd);
  });

  test("a terminal is refused", async () => {
    const place = workplace();
    const { status, stderr } = await session(place, {
      request: "nix-daemon --stdio",
      environment: { SSH_TTY: "/dev/pts/9" },
    });
    expect(status).toBe(77);
    expect(stderr).toContain("no terminal");
    expect(place.records().map(({ event }) => event)).toEqual(["session.start", "session.refuse", "session.end"]);
  });
});

describe("what is left", () => {
  test("of a command is ended with it, also what ignores SIGTERM or is stopped", async () => {
    const place = workplace();
    place.edit("policies/alpha.toml", /$/, '\n[session]\nstop_timeout = "1s"\n');
    const seconds = `7301.${process.pid}`; // of this run alone
    place.allow("orphans", [`${PROGRAMS}/orphan-maker.sh`, seconds]);
    expect((await session(place, { request: "orphans" })).status).toBe(3);
    expect(processesWith(`sleep ${seconds}`)).toEqual([]);
    expect(place.records()[2]).toMatchObject({ event: "command.end", exit_code: 3, leftovers: 3 });
  });

  test.each(["SIGTERM", "SIGHUP"] as const)("%s to nixgate ends the command and is on record", async (signal) => {
    const place = workplace();
    place.edit("policies/alpha.toml", /$/, '\n[session]\nstop_timeout = "1s"\nclient_gone_grace = "100ms"\n');
    place.allow("wait", ["/bin/sleep", "7302.5"]);
    const child = startSession(place, { request: "wait" });
    await waitFor("the command", () => processesWith("sleep 7302.5").length > 0);
    child.kill(signal);
    expect((await answerOf(child)).status).toBe(128 + 15);
    expect(processesWith("sleep 7302.5")).toEqual([]);
    const cause = signal === "SIGTERM" ? "killed-by-admin" : "client-gone";
    expect(place.records().at(-1)).toMatchObject({ event: "session.end", cause });
  });

  test("by nixgate's own sudden death is ended by the holder", async () => {
    const place = workplace();
    place.edit("policies/alpha.toml", /$/, '\n[session]\nstop_timeout = "1s"\n');
    place.allow("wait", [`${PROGRAMS}/ignore-sigterm.sh`]);
    const child = startSession(place, { request: "wait" });
    await waitFor("the command", () => processesWith(`${PROGRAMS}/ignore-sigterm.sh`).length > 1);
    child.kill("SIGKILL");
    await waitFor("nothing left", () => processesWith(`${PROGRAMS}/ignore-sigterm.sh`).length === 0, 5000);
  });

  test("that stops its holder does not keep the session", async () => {
    const place = workplace();
    const stop = 'for p in $(ps -o pid= -g $$); do [ "$p" = $$ ] || kill -STOP "$p"; done 2>/dev/null; exit 3';
    place.allow("stop", ["/bin/sh", "-c", stop]);
    const began = performance.now();
    expect((await session(place, { request: "stop" })).status).toBe(3);
    expect(performance.now() - began).toBeGreaterThan(1000); // it did stop it
  });

  test("by a client that is lost is ended within the grace and the stop timeout", async () => {
    const place = workplace();
    place.edit("policies/alpha.toml", /$/, '\n[session]\nstop_timeout = "1s"\nclient_gone_grace = "1s"\n');
    place.allow("wait", [`${PROGRAMS}/ignore-sigterm.sh`]);
    // sshd's stdout is a pipe whose other end it closes when the client is gone; ours is a FIFO with a reader to kill
    const fifo = `${place.folder}/stdout`;
    execFileSync("mkfifo", [fifo]);
    const reader = spawn("cat", [fifo], { stdio: "ignore" });
    startSession(place, { request: "wait", stdio: ["pipe", openSync(fifo, "w"), "pipe"] });
    await waitFor("the command", () => processesWith(`${PROGRAMS}/ignore-sigterm.sh`).length > 1);
    const lost = performance.now();
    reader.kill("SIGKILL");
    await waitFor("nothing left", () => processesWith(`${PROGRAMS}/ignore-sigterm.sh`).length === 0, 8000);
    expect(performance.now() - lost).toBeLessThan(4000); // 2 s by the policy; the machine may be busy
    await waitFor("the record", () => place.records().at(-1)?.event === "session.end");
    expect(place.records().at(-2)).toMatchObject({ event: "command.end", cause: "client-gone", signal: "SIGKILL" });
  });

  test("a command gets no new privileges", async () => {
    const place = workplace();
    place.allow("privileges", ["/bin/grep", "NoNewPrivs", "/proc/self/status"]);
    const { status, stdout } = await session(place, { request: "privileges" });
    expect([status, `${stdout}`]).toEqual([0, "NoNewPrivs:\t1\n"]);
  });

  test("RuntimeMaxSec ends the command and the client is told", async () => {
    const place = workplace();
    place.edit("policies/alpha.toml", 'RuntimeMaxSec = "4h"', 'RuntimeMaxSec = "300ms"');
    place.allow("wait", ["/bin/sleep", "7303.5"]);
    const { status, stderr } = await session(place, { request: "wait" });
    expect(status).toBe(143);
    expect(stderr).toMatch(/^nixgate: run time limit of 300ms reached \(session /);
    expect(place.records()[2]).toMatchObject({ cause: "timeout", signal: "SIGTERM" });
  });

  test.each(["0", "1"])(
    "a command that answers SIGTERM with %s hears of it after its client, which gets 143",
    async (own) => {
      const place = workplace();
      place.edit("policies/alpha.toml", 'RuntimeMaxSec = "4h"', 'RuntimeMaxSec = "300ms"');
      place.allow("obey", ["/bin/sh", "-c", `trap 'echo asked >&2; exit ${own}' TERM; while :; do sleep 0.02; done`]);
      const { status, stderr } = await session(place, { request: "obey" });
      expect(status).toBe(143);
      // dash also says that its sleep(1) was terminated, where the signal met one
      expect(stderr).toMatch(/^nixgate: run time limit of 300ms reached \(session [^)]+\)\n(?:Terminated\n)?asked\n$/);
      expect(place.records()[2]).toMatchObject({ cause: "timeout", exit_code: Number(own), status: 143 });
      expect(place.records()[3]).toMatchObject({ cause: "timeout", exit: 143 });
    },
  );

  test("a client that reads nothing of a flood does not keep the session", async () => {
    const place = workplace();
    place.edit("policies/alpha.toml", 'RuntimeMaxSec = "4h"', 'RuntimeMaxSec = "500ms"');
    place.allow("flood", [`${PROGRAMS}/flood-stderr.sh`]);
    const child = startSession(place, { request: "flood" });
    const ended = new Promise((resolve) => child.once("exit", resolve));
    child.stderr?.pause();
    await Promise.race([ended, sleep(8000).then(() => Promise.reject(new Error("the session hangs")))]);
    expect(place.records().at(-1)).toMatchObject({ event: "session.end", cause: "timeout" });
  });
});

describe("a session that cannot be served", () => {
  test.each([
    ["a team without a policy", { team: "beta" }, 78, "unknown-team", "_unassigned"],
    ["a team's name that is none", { team: "../alpha" }, 78, "unknown-team", "_unassigned"],
    ["a member that the policy does not know", { words: ["--member", "eve"] }, 77, "unknown-member", "alpha"],
    ["a member's name that is none", { words: ["--member", "../x"] }, 77, "unknown-member", "alpha"],
  ])("is refused and on record: %s", async (_, asked, status, reason, team) => {
    const place = workplace();
    const answer = await session(place, { request: "nix-daemon --stdio", ...asked });
    expect(answer).toMatchObject({ status });
    expect(answer.stdout.length).toBe(0);
    expect(answer.stderr).toMatch(SESSION_LINE);
    expect(place.records(team)).toMatchObject([{}, { event: "session.refuse", reason }, { exit: status }]);
  });

  test("a policy that is not valid refuses with 78", async () => {
    const place = workplace();
    place.edit("policies/alpha.toml", "TasksMax = 256", 'TasksMax = "many"');
    const { status, stderr } = await session(place, { request: "nix-daemon --stdio" });
    expect(status).toBe(78);
    expect(stderr).toMatch(SESSION_LINE);
    expect(place.records()[1]).toMatchObject({ event: "session.refuse", reason: "policy-invalid" });
  });

  test("records that cannot be created refuse with 73, and no command runs", async () => {
    const place = workplace();
    place.edit("nixgate.toml", place.log, `${place.log}/missing/deeper`);
    place.allow("touch", ["/usr/bin/touch", `${place.folder}/ran`]);
    const { status, stderr } = await session(place, { request: "touch" });
    expect(status).toBe(73);
    expect(stderr).toMatch(SESSION_LINE);
    expect(existsSync(`${place.folder}/ran`)).toBe(false);
  });

  test('with on_failure = "continue" the command runs all the same', async () => {
    const place = workplace();
    place.edit("nixgate.toml", place.log, `${place.log}/missing/deeper`);
    place.edit("nixgate.toml", "[log]", '[log]\non_failure = "continue"');
    place.allow("echo", ["/bin/echo", "ran"]);
    expect((await session(place, { request: "echo" })).stdout.toString()).toBe("ran\n");
  });

  test("a program that does not exist is no command's failure: 78, for the administrator to mend", async () => {
    const place = workplace();
    place.allow("missing", ["/nonexistent/program"]);
    const { status } = await session(place, { request: "missing" });
    expect(status).toBe(78);
  });

  test.each([[[]], [["--team"]], [["--team", "alpha", "--unknown"]], [["--team", "a", "--team", "b"]]])(
    "wrong words %j are usage errors, 64",
    async (words) => {
      const { status, stderr, stdout } = spawnSync(NIXGATE, ["session", ...words], { encoding: "utf8" });
      expect({ status, stdout }).toEqual({ status: 64, stdout: "" });
      expect(stderr).toMatch(/^nixgate: /);
    },
  );
});

describe("without a manager that answers", () => {
  test("scope.require = true refuses the command with 69 and says what systemd-run said", async () => {
    const place = workplace();
    place.edit("nixgate.toml", 'manager = "none"', 'manager = "user"');
    place.allow("touch", ["/usr/bin/touch", `${place.folder}/ran`]);
    const { status, stderr } = await session(place, { request: "touch" });
    expect(status).toBe(69);
    expect(stderr).toMatch(
      /^nixgate: the command cannot be given its limits: systemd-run failed with .+ \(session .+\)\n$/,
    );
    expect(existsSync(`${place.folder}/ran`)).toBe(false);
    expect(place.records()).toMatchObject([
      { isolation: "scope-user" },
      { event: "command.start", limits: { applied: {} } },
      { event: "command.end", cause: "scope-failed", message: expect.stringMatching(/^systemd-run failed with /) },
      { event: "session.end", exit: 69, cause: "scope-failed" },
    ]);
  });

  test("scope.require = false runs it with rlimits, and the record names no unit", async () => {
    const place = workplace();
    place.edit("nixgate.toml", 'manager = "none"\nrequire = true', 'manager = "user"\nrequire = false');
    place.allow("echo", ["/bin/echo", "ran"]);
    const { status, stdout, stderr } = await session(place, { request: "echo" });
    expect({ status, stdout: stdout.toString() }).toEqual({ status: 0, stdout: "ran\n" });
    expect(stderr).toMatch(/^nixgate: no scope for this command, which has only rlimits instead: .+ \(session .+\)\n$/);
    const [, start] = place.records();
    expect(start).toMatchObject({ isolation: "process", limits: { applied: { TasksMax: "256" } } });
    expect(start).not.toHaveProperty("unit");
  });

  test("rlimits hold what they can: a process that wants more memory does not get it, and the record says which", async () => {
    const place = workplace();
    place.edit("policies/alpha.toml", 'MemoryMax = "2G"', 'MemoryMax = "64M"');
    const takes = (mib: number) => ["/usr/bin/perl", "-e", `my $x = "x" x (${mib} << 20); print "has it"`];
    place.allow("little", takes(16));
    place.allow("much", takes(96));
    expect((await session(place, { request: "little" })).stdout.toString()).toBe("has it");
    const { status, stdout } = await session(place, { request: "much" });
    expect([status === 0, stdout.toString()]).toEqual([false, ""]);
    expect(place.records().at(-3)).toMatchObject({ limits: { applied: { MemoryMax: String(64 << 20) } } });
  });
});
