import { describe, expect } from "vitest";
import { isServeAnswer, serveHello } from "../../support/nix-protocol.ts";
import { waitFor } from "../../support/wait-for.ts";
import { asSshd } from "../as-sshd.ts";
import { sliceFolder } from "../managers.ts";
import { allow, edit, editHost } from "../policies.ts";
import { recordsOf } from "../records.ts";
import { busySystemd, lastEnd, nothingLeft, restarted, SHIM, signalSupervisor, test, text } from "../supervision.ts";
import type { Guest } from "../support.ts";
import { awaitProcess, startClient } from "../waiting-client.ts";

describe("what the account cannot do", () => {
  test("loosen the limits of its scope or its team's slice", async ({ builder }) => {
    using _client = startClient(builder, "wait");
    await awaitProcess(builder, "sleep 60");
    const slice = await text(builder, `echo ${sliceFolder(builder)}`);
    const tries = [
      `for folder in ${slice} ${slice}/*.scope; do`,
      "  for file in memory.max pids.max cpu.max; do (echo max >$folder/$file) 2>/dev/null && echo wrote $file; done",
      "  (echo $$ >$folder/cgroup.procs) 2>/dev/null && echo moved in",
      "done",
      "p=$(pgrep -u nix-alpha -x sleep); (echo $p >/sys/fs/cgroup/user.slice/cgroup.procs) 2>/dev/null && echo moved out",
      `systemctl set-property --runtime $(basename ${slice}/*.scope) MemoryMax=infinity 2>/dev/null && echo set`,
      `systemctl --user set-property --runtime $(basename ${slice}/*.scope) MemoryMax=infinity 2>/dev/null`,
      `cat ${slice}/*.scope/memory.max`,
    ];
    const { stdout } = await builder.asAccount("nix-alpha", tries.join("\n"));
    expect(`${stdout}`.trim()).toBe(String(256 << 20));
  });

  test("leave its scope through a manager of its own", async ({ builder }) => {
    const leave = "systemd-run --user --scope --quiet sleep 7 2>/dev/null || exec sleep 7";
    await allow(builder, "alpha", { leave: ["/bin/sh", "-c", `export XDG_RUNTIME_DIR=/run/user/$(id -u); ${leave}`] });
    using _client = startClient(builder, "leave");
    await awaitProcess(builder, "^sleep 7");
    expect(await text(builder, "cat /proc/$(pgrep -u nix-alpha -f '^sleep 7')/cgroup")).toContain(
      "/nixgate-alpha.slice/",
    );
    await builder.asRoot("pkill -KILL -u nix-alpha -x sleep");
  });

  test("read, change or remove records", async ({ builder }) => {
    await builder.ssh("nix-alpha", "quick");
    const tries = [
      "cat /var/log/nixgate/alpha/* && echo read",
      "echo >>/var/log/nixgate/alpha/$(date -u +%F).jsonl && echo wrote",
      "rm -f /var/log/nixgate/alpha/* && echo removed; mv /var/log/nixgate/alpha /var/log/nixgate/x && echo moved",
    ];
    const { stdout } = await builder.asAccount("nix-alpha", tries.join("\n"));
    expect(`${stdout}`).toBe("");
    expect(await text(builder, "stat -c '%U %a' /var/log/nixgate/alpha /var/log/nixgate/alpha/*")).toBe(
      "root 750\nroot 640",
    );
  });

  test("reach another team's FIFO, its answers, or the control FIFO", async ({ builder }) => {
    const tries = [
      "(echo '1 1 ' >/run/nixgate/beta/requests) 2>/dev/null && echo wrote",
      "ls /run/nixgate/beta/answers 2>/dev/null && echo listed",
      "(echo 'kill 1' >/run/nixgate/_control) 2>/dev/null && echo controlled",
      "(echo x >/run/nixgate/alpha/answers/1-1) 2>/dev/null && echo answered",
      "head -c1 /run/nixgate/alpha/requests 2>/dev/null && echo read",
    ];
    expect(`${(await builder.asAccount("nix-alpha", tries.join("\n"))).stdout}`).toBe("");
  });

  test("close its own FIFO, read from it, or open it to others", async ({ builder }) => {
    const fifo = "/run/nixgate/alpha/requests";
    const tries = [
      ...["000", "u+r", "666"].map((mode) => `chmod ${mode} ${fifo} 2>/dev/null && echo set ${mode}`),
      `chgrp nix-users ${fifo} 2>/dev/null && echo gave; mv ${fifo} ${fifo}.x 2>/dev/null && echo moved`,
      `rm -f ${fifo} 2>/dev/null && echo removed; (exec 4<>${fifo}) 2>/dev/null && echo opened; exit 0`,
    ];
    expect(`${(await builder.asAccount("nix-alpha", tries.join("\n"))).stdout}`).toBe("");
    expect(await text(builder, `stat -c '%U %G %a' ${fifo}`)).toBe("root nix-alpha 620");
    expect((await builder.ssh("nix-alpha", "quick")).exitCode).toBe(0);
  });

  test("get a session for a process that is not its own shim", async ({ builder }) => {
    const before = (await recordsOf(builder, "alpha", "session.start")).length;
    // another account's, which looks like a shim of this team in everything else
    const pretends = "mkdir -p /tmp/of-beta; echo 'kill -STOP $$' >/tmp/of-beta/nixgate-shim";
    await builder.asAccount("nix-beta", `${pretends}; sh /tmp/of-beta/nixgate-shim alpha >/dev/null 2>&1 & sleep 1`);
    const others = await text(builder, "pgrep -u nix-beta -fx 'sh /tmp/of-beta/nixgate-shim alpha'");
    const tries = [
      `echo '${others} 1 ' >/run/nixgate/alpha/requests`,
      'sleep 20 & kill -STOP $!; echo "$! 1 " >/run/nixgate/alpha/requests',
      "echo '1 1 ' >/run/nixgate/alpha/requests",
      `echo "$(pgrep -o -u nix-beta) 1 " >/run/nixgate/alpha/requests`,
      "sleep 1; ps -o stat= -p $!; kill -KILL $!",
    ];
    // stopped still: nobody let it go on
    expect(`${(await builder.asAccount("nix-alpha", tries.join("\n"))).stdout}`.trim()).toMatch(/^T/);
    expect(await text(builder, `ps -o stat= -p ${others}; kill -KILL ${others}`)).toMatch(/^T/);
    expect(await recordsOf(builder, "alpha", "session.start")).toHaveLength(before);
    expect(await text(builder, "journalctl -u nixgate.service -o cat | grep -c 'no shim'")).not.toBe("0");
  });

  test("write lines about another team's session", async ({ builder }) => {
    const ends = (await recordsOf(builder, "alpha", "session.end")).length;
    using _client = startClient(builder, "wait");
    await awaitProcess(builder, "sleep 60");
    const pid = await text(builder, SHIM);
    const lines = [`${pid} 2 0`, `${pid} 999999 `, `${pid} 1 `].map(
      (line) => `echo '${line}' >/run/nixgate/beta/requests`,
    );
    await builder.asAccount("nix-beta", `${lines.join("; ")}; sleep 2`);
    expect(await text(builder, "pgrep -u nix-alpha -fx '/bin/sleep 60' | wc -l")).toBe("1");
    expect(await recordsOf(builder, "alpha", "session.end")).toHaveLength(ends);
    // and the shim is still heard
    await builder.asRoot("pkill -TERM -u nix-alpha -fx '/bin/sleep 60'");
    await waitFor("the end", async () => (await recordsOf(builder, "alpha", "session.end")).length > ends);
    expect(await lastEnd(builder)).toMatchObject({ exit: 143, cause: "signal" });
    await nothingLeft(builder);
  });

  test("begin a second session from inside a command", async ({ builder }) => {
    await allow(builder, "alpha", {
      nested: ["/bin/sh", "-c", "timeout -s KILL 2 /usr/local/bin/nixgate-shim alpha bob; echo $?"],
    });
    const { stdout } = await builder.ssh("nix-alpha", "nested");
    expect(`${stdout}`.trim()).toMatch(/^(124|137)$/);
    const said = () => text(builder, "journalctl -u nixgate.service -o cat | grep -c 'part of another session'");
    await waitFor("the supervisor's word", async () => (await said()) !== "0");
  });
});

describe("what comes through a FIFO", () => {
  test("can be garbage, half a line or ten thousand lines without delaying other teams", async ({ builder }) => {
    const flood =
      "for i in $(seq 10000); do echo \"$i$i garbage\"; done; printf '\\000\\377\\n\\n999999999999 1 \\nhalf a line'";
    const flooded = builder.asAccount("nix-alpha", `(${flood}) >/run/nixgate/alpha/requests`);
    const { stdout, exitCode } = await builder.ssh("nix-gamma", "nix-store --serve", { input: serveHello });
    expect({ exitCode, answered: isServeAnswer(stdout) }).toEqual({ exitCode: 0, answered: true });
    await flooded;
    expect((await builder.ssh("nix-alpha", "quick")).exitCode).toBe(0);
  });
});

test("the supervisor's log names teams whose accounts share a group", async ({ builder }) => {
  const said = async () =>
    Number(await text(builder, "journalctl -u nixgate.service -o cat | grep -c 'sharing.*alpha.*beta'"));
  expect(await said()).toBe(0);
  await builder.asRoot("usermod -g nix-alpha nix-beta && nixgate apply --yes");
  await waitFor("the supervisor's word", async () => (await said()) > 0);
  await builder.asRoot("usermod -g nix-beta nix-beta && nixgate apply --yes");
});

test("a limit that is not in force when it is read back keeps a command from beginning", async ({ builder }) => {
  await edit(builder, "alpha", "s/^TasksMax = 64/&\\nIOWeight = 50/"); // the kernel of the test machine has no io.weight
  const { exitCode, stderr } = await builder.ssh("nix-alpha", "quick");
  await edit(builder, "alpha", "/^IOWeight = 50/d");
  expect(exitCode, `${stderr}`).toBe(69);
  expect(`${stderr}`).toContain("the command cannot be given its limits: limits.IOWeight needs io.weight of cgroup v2");
  expect((await recordsOf(builder, "alpha", "command.end")).at(-1)).toMatchObject({
    cause: "scope-failed",
    message: expect.stringContaining("limits.IOWeight"),
  });
  await nothingLeft(builder);
});

test("records that cannot be written refuse a session, and the journal says why", async ({ builder }) => {
  const full = "mount -t tmpfs -o size=16k,mode=755 none /var/log/nixgate; cat /dev/zero >/var/log/nixgate/fill";
  await builder.asRoot(`${full}; systemctl restart nixgate.service`); // whose view of the disk is its own
  await restarted(builder);
  const { exitCode, stderr } = await builder.ssh("nix-alpha", "quick");
  await builder.asRoot("umount /var/log/nixgate; systemctl restart nixgate.service");
  await restarted(builder);
  expect(exitCode, `${stderr}`).toBe(74);
  expect(`${stderr}`).toMatch(/^nixgate: the session cannot be recorded \(session [0-9a-f-]{36}\)\n$/);
  const said = await text(builder, "journalctl NIXGATE_EVENT=session.refuse -n 1 -o cat");
  expect(said).toMatch(/ENOSPC/);
  expect((await builder.ssh("nix-alpha", "quick")).exitCode).toBe(0);
});

describe("a crowd", () => {
  /**
   * Starts so many in one instant, and calls back when all have written their line. Without sshd, which would let them
   * in one after the other: the supervisor stands still meanwhile. Stopped as a service it would be back with the first
   * line, and serve the first before the last has come.
   */
  async function atOnce(
    builder: Guest,
    starts: number,
    serve: () => Promise<void>,
    letGoOn = () => signalSupervisor(builder, "CONT"),
  ): Promise<void> {
    await signalSupervisor(builder, "STOP");
    const start = "SSH_ORIGINAL_COMMAND=wait exec /usr/local/bin/nixgate-shim alpha";
    const all = builder.asRoot(asSshd("nix-alpha", start, starts));
    const allThere = async () => Number(await text(builder, `${SHIM} | wc -l`)) >= starts;
    await waitFor("all shims", allThere, 60_000).finally(letGoOn);
    await serve();
    await builder.asRoot("pkill -KILL -u nix-alpha -f nixgate-shim; pkill -KILL -u nix-alpha -x sleep");
    await all;
    await nothingLeft(builder);
  }
  const running = async (builder: Guest) =>
    Number(await text(builder, "pgrep -u nix-alpha -fx '/bin/sleep 60' | wc -l"));

  test("500 starts in one instant with max_concurrent = 8 admit exactly 8", { timeout: 240_000 }, async ({
    builder,
  }) => {
    const STARTS = 500;
    await edit(builder, "alpha", "s/^max_concurrent = .*/max_concurrent = 8/");
    const before = (await recordsOf(builder, "alpha", "session.start")).length;
    await atOnce(builder, STARTS, async () => {
      const refused = async () => (await recordsOf(builder, "alpha", "session.refuse")).length;
      await waitFor("the refusals", async () => (await refused()) >= STARTS - 8, 120_000);
      // a scope takes longer than a refusal
      await waitFor("the commands", async () => (await running(builder)) >= 8, 60_000);
      expect(await running(builder)).toBe(8);
      expect((await recordsOf(builder, "alpha", "session.start")).length - before).toBe(STARTS);
    });
    // the places are free at once
    expect((await builder.ssh("nix-alpha", "quick")).exitCode).toBe(0);
  });

  test("200 sessions begin behind a slow systemd, and none is refused", { timeout: 240_000 }, async ({ builder }) => {
    const STARTS = 200;
    await edit(builder, "alpha", "s/^max_concurrent = .*/max_concurrent = 400/\ns/^TasksMax = 512/TasksMax = 4096/");
    await editHost(builder, "s/^.admission.$/&\\nmax_sessions = 400/");
    const failed = async () =>
      (await recordsOf(builder, "alpha", "command.end")).filter(({ cause }) => cause === "scope-failed");
    const before = (await failed()).length;
    const serve = async () => {
      const notYet = async () => STARTS - (await running(builder)) - ((await failed()).length - before);
      await waitFor("all", async () => (await notYet()) <= 0, 120_000);
      expect((await failed()).slice(before).map(({ message }) => message)).toEqual([]);
    };
    await atOnce(builder, STARTS, serve, () =>
      builder.asRoot(`pid=$(systemctl show nixgate.service -P MainPID); ${busySystemd(8)}; kill -CONT $pid; wait`),
    );
  });
});

test("the start above the team's rate is refused, by the supervisor's own count", async ({ builder }) => {
  const RATE = 3;
  await edit(builder, "gamma", `$a [session]\\nmax_starts_per_minute = ${RATE}`);
  // The team's refusals of the last minute, in the tests before, would be summed up with this one.
  await builder.asRoot("rm -f /var/log/nixgate/gamma/.refusals*");
  await builder.asRoot("systemctl restart nixgate.service"); // which counts anew
  await restarted(builder);
  const statuses: (number | undefined)[] = [];
  for (let start = 0; start < RATE + 1; start += 1)
    statuses.push((await builder.ssh("nix-gamma", "nix-store --serve", { input: serveHello })).exitCode);
  expect(statuses).toEqual([0, 0, 0, 75]);
  expect((await recordsOf(builder, "gamma", "session.refuse")).at(-1)).toMatchObject({ reason: "rate" });
});

test("the member that the forced command of a key names is on record, with the key", async ({ builder }) => {
  const keys = "/home/nix-beta/.ssh/authorized_keys";
  const dropIn = "/etc/ssh/sshd_config.d/05-members.conf"; // sshd takes the first value that it reads
  const heed = "systemctl restart ssh.service"; // a reload is not over when systemctl is back
  const match = "Match User nix-beta\\n  ForceCommand none\\n  ExposeAuthInfo yes\\n";
  const key = await text(builder, `cat ${keys}`);
  await edit(builder, "beta", `$a [[member]]\nname = "ada"\nkeys = [${JSON.stringify(key)}]`.replaceAll("\n", "\\n"));
  const member = (name: string) =>
    builder.asRoot(`echo 'command="exec /usr/local/bin/nixgate-shim beta ${name}" ${key}' >${keys}`);
  await member("ada");
  await builder.asRoot(`printf '${match}' >${dropIn}; ${heed}`);
  const ask = () => builder.ssh("nix-beta", "nix-store --serve", { input: serveHello });
  const known = await ask();
  await member("eve");
  const unknown = await ask();
  await builder.asRoot(`echo '${key}' >${keys}; rm ${dropIn}; ${heed}`);

  expect({ ...known, stderr: `${known.stderr}`, stdout: isServeAnswer(known.stdout) }).toEqual({
    exitCode: 0,
    stderr: "",
    stdout: true,
  });
  const start = (await recordsOf(builder, "beta", "session.start")).find(({ member: name }) => name === "ada");
  const fingerprint = (await text(builder, `ssh-keygen -lf ${keys}`)).split(" ")[1];
  expect(start).toMatchObject({ key: { type: "ssh-ed25519", fingerprint }, isolation: "scope-system" });
  expect(unknown.exitCode, `${unknown.stderr}`).toBe(77);
  expect((await recordsOf(builder, "beta", "session.refuse")).at(-1)).toMatchObject({ reason: "unknown-member" });
});

test("sessions kill reaches one session alone", async ({ builder }) => {
  using _one = startClient(builder, "wait");
  await awaitProcess(builder, "sleep 60");
  const first = (await recordsOf(builder, "alpha", "session.start")).at(-1)?.session as string;
  using _two = startClient(builder, "wait");
  await waitFor("both", async () => (await text(builder, "pgrep -u nix-alpha -fx '/bin/sleep 60' | wc -l")) === "2");
  const { exitCode, stderr } = await builder.asRoot(`nixgate sessions kill ${first}`);
  expect(exitCode, `${stderr}`).toBe(0);
  expect(await text(builder, "pgrep -u nix-alpha -fx '/bin/sleep 60' | wc -l")).toBe("1");
  const end = (await recordsOf(builder, "alpha", "session.end")).find(({ session }) => session === first);
  expect(end).toMatchObject({ cause: "killed-by-admin" });
  await builder.asRoot("pkill -KILL -u nix-alpha -x sleep");
});

test("the service's sandbox is as tight as its work allows", async ({ builder }) => {
  const score = await text(builder, "systemd-analyze security nixgate.service --no-pager | tail -1");
  expect(Number(/([\d.]+) \w+/.exec(score)?.[1])).toBeLessThanOrEqual(3);
  const units =
    "/etc/systemd/system/nixgate*.service /etc/systemd/system/nixgate*.socket /etc/systemd/system/nixgate-*.slice";
  const { exitCode, stderr } = await builder.asRoot(`systemd-analyze verify ${units}`);
  expect({ exitCode, stderr: `${stderr}` }).toEqual({ exitCode: 0, stderr: "" });
});
