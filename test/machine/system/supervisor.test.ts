import { describe, expect } from "vitest";
import { isServeAnswer, serveHello } from "../../support/nix-protocol.ts";
import { waitFor } from "../../support/wait-for.ts";
import { sliceFolder } from "../managers.ts";
import { allow, edit, editHost, restorePolicies } from "../policies.ts";
import { recordsOf } from "../records.ts";
import { backAgain, neverBack } from "../supervision.ts";
import { type Guest, test as plain } from "../support.ts";
import { awaitProcess, startClient } from "../waiting-client.ts";

const test = plain.extend<{ builder: Guest }>({
  builder: [
    async ({ guest }, use) => {
      await restorePolicies(guest);
      await allow(guest, "alpha", {
        wait: ["/bin/sleep", "60"],
        brief: ["/bin/sh", "-c", "sleep 4; exit 6"],
        quick: ["/bin/true"],
        mark: ["/bin/sh", "-c", "echo ran >>$HOME/ran; sleep 60"],
      });
      await use(guest);
      await guest.asRoot("systemctl reset-failed; systemctl start nixgate.service");
      await restorePolicies(guest);
    },
    { scope: "file" },
  ],
});

const text = async (guest: Guest, command: string) => `${(await guest.asRoot(command)).stdout}`.trim();
const FRONT = "pgrep -u nix-alpha -f '^/bin/sh /usr/bin/nixgate-front'";
/** The process itself, as the OOM killer would: what carries its records to the journal has time to end. */
const killSupervisor = (guest: Guest) => signalSupervisor(guest, "KILL");
const signalSupervisor = (guest: Guest, signal: "KILL" | "STOP" | "CONT") =>
  guest.asRoot(`kill -${signal} $(systemctl show nixgate.service -P MainPID)`);
const restarted = (guest: Guest) =>
  waitFor("the supervisor", () =>
    guest.asRoot("kill -0 $(cat /run/nixgate/_ready)").then(({ exitCode }) => exitCode === 0),
  );
const lastEnd = async (guest: Guest) => (await recordsOf(guest, "alpha", "session.end")).at(-1);
const nothingLeft = (guest: Guest) =>
  waitFor(
    "nothing to be left",
    async () =>
      (await text(guest, `${FRONT}; pgrep -u nix-alpha sleep; ls -d ${sliceFolder(guest)}/*.scope 2>/dev/null`)) === "",
  );

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

  test("have a process served that is no front of its own", async ({ builder }) => {
    const before = (await recordsOf(builder, "alpha", "session.start")).length;
    // another account's, which looks like a front of this team in everything else
    const pretends = "mkdir -p /tmp/of-beta; echo 'kill -STOP $$' >/tmp/of-beta/nixgate-front";
    await builder.asAccount("nix-beta", `${pretends}; sh /tmp/of-beta/nixgate-front alpha >/dev/null 2>&1 & sleep 1`);
    const others = await text(builder, "pgrep -u nix-beta -fx 'sh /tmp/of-beta/nixgate-front alpha'");
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
    expect(await text(builder, "journalctl -u nixgate.service -o cat | grep -c 'no front'")).not.toBe("0");
  });

  test("say anything about another team's session", async ({ builder }) => {
    const ends = (await recordsOf(builder, "alpha", "session.end")).length;
    using _client = startClient(builder, "wait");
    await awaitProcess(builder, "sleep 60");
    const pid = await text(builder, FRONT);
    const lines = [`${pid} 2 0`, `${pid} 999999 `, `${pid} 1 `].map(
      (line) => `echo '${line}' >/run/nixgate/beta/requests`,
    );
    await builder.asAccount("nix-beta", `${lines.join("; ")}; sleep 2`);
    expect(await text(builder, "pgrep -u nix-alpha -fx '/bin/sleep 60' | wc -l")).toBe("1");
    expect(await recordsOf(builder, "alpha", "session.end")).toHaveLength(ends);
    // and the front is still heard
    await builder.asRoot("pkill -TERM -u nix-alpha -fx '/bin/sleep 60'");
    await waitFor("the end", async () => (await recordsOf(builder, "alpha", "session.end")).length > ends);
    expect(await lastEnd(builder)).toMatchObject({ exit: 143, cause: "signal" });
    await nothingLeft(builder);
  });

  test("begin a second session from inside a command", async ({ builder }) => {
    await allow(builder, "alpha", {
      nested: ["/bin/sh", "-c", "timeout -s KILL 2 /usr/bin/nixgate-front alpha bob; echo $?"],
    });
    const { stdout } = await builder.ssh("nix-alpha", "nested");
    expect(`${stdout}`.trim()).toMatch(/^(124|137)$/);
    const said = () => text(builder, "journalctl -u nixgate.service -o cat | grep -c 'part of another session'");
    await waitFor("the supervisor's word", async () => (await said()) !== "0");
  });
});

describe("what comes through a FIFO", () => {
  test("may be garbage, half a line, or ten thousand lines: others are served meanwhile", async ({ builder }) => {
    const flood =
      "for i in $(seq 10000); do echo \"$i$i garbage\"; done; printf '\\000\\377\\n\\n999999999999 1 \\nhalf a line'";
    const flooded = builder.asAccount("nix-alpha", `(${flood}) >/run/nixgate/alpha/requests`);
    const { stdout, exitCode } = await builder.ssh("nix-gamma", "nix-store --serve", { input: serveHello });
    expect({ exitCode, answered: isServeAnswer(stdout) }).toEqual({ exitCode: 0, answered: true });
    await flooded;
    expect((await builder.ssh("nix-alpha", "quick")).exitCode).toBe(0);
  });
});

describe("when the supervisor is killed", () => {
  test("a running session goes on and ends with complete records", async ({ builder }) => {
    const session = builder.ssh("nix-alpha", "brief");
    await awaitProcess(builder, "sleep 4");
    const start = (await recordsOf(builder, "alpha", "command.start")).at(-1);
    await killSupervisor(builder);
    await restarted(builder);
    expect((await session).exitCode).toBe(6);
    const end = (await recordsOf(builder, "alpha", "command.end")).at(-1);
    expect(end).toMatchObject({ session: start?.session, cause: "exit", exit_code: 6 });
    expect(end?.usage).toMatchObject({ memory_peak_bytes: expect.any(Number), tasks_peak: expect.any(Number) });
    expect(end?.wall_ms).toBeGreaterThan(3500);
    expect(await lastEnd(builder)).toMatchObject({ session: start?.session, exit: 6, commands: 1 });
    expect(await text(builder, "nixgate sessions verify")).toContain("nothing found");
    await nothingLeft(builder);
  });

  test("a hundred running sessions go on, also when another version comes", { timeout: 300_000 }, async ({
    builder,
  }) => {
    const HUNDRED = 100;
    await allow(builder, "alpha", { long: ["/bin/sh", "-c", "exec sleep 45"] });
    await edit(builder, "alpha", "s/^max_concurrent = .*/max_concurrent = 200/\ns/^TasksMax = 512/TasksMax = 4096/");
    const before = (await recordsOf(builder, "alpha", "session.end")).length + 1; // and that of the newcomer
    const start = `cd /; for i in $(seq ${HUNDRED}); do SSH_ORIGINAL_COMMAND=long /usr/bin/nixgate-front alpha </dev/null >/dev/null 2>&1 & done; wait`;
    const all = builder.asAccount("nix-alpha", start);
    await waitFor("all", async () => (await text(builder, "pgrep -c -u nix-alpha -x sleep")) === `${HUNDRED}`, 120_000);
    // the code that V8 keeps has the version in it
    const upgrade = `sed 's/"0\\.1\\.0"/"9.9.9"/' old/nixgate.cjs >dist/nixgate.cjs; rm dist/nixgate.cache`;
    const swap = `cd /usr/lib/node_modules/nixgate; mv dist old; cp -a old dist; ${upgrade}`;
    await builder.asRoot(`${swap}; systemctl restart nixgate.service`);
    await builder.ssh("nix-alpha", "quick");
    expect((await recordsOf(builder, "alpha", "session.start")).at(-1)).toMatchObject({ nixgate: "9.9.9" });
    await builder.asRoot("cd /usr/lib/node_modules/nixgate; rm -r dist; mv old dist");
    await killSupervisor(builder);
    await restarted(builder);
    await all;
    await waitFor(
      "all ends",
      async () => (await recordsOf(builder, "alpha", "session.end")).length >= before + HUNDRED,
      60_000,
    );
    const ends = (await recordsOf(builder, "alpha", "session.end")).slice(before);
    expect(ends.map(({ cause, exit }) => `${cause} ${exit}`)).toEqual(Array(HUNDRED).fill("exit 0"));
    const figures = (await recordsOf(builder, "alpha", "command.end")).slice(-HUNDRED).map(({ usage }) => usage);
    expect(
      figures.filter(({ memory_peak_bytes: peak = 0, tasks_peak: tasks = 0 }) => peak > 0 && tasks > 0),
    ).toHaveLength(HUNDRED);
    expect(await text(builder, "nixgate sessions verify")).toContain("nothing found");
    await nothingLeft(builder);
  });

  test("a session that ends while there is none is told its own status by the next", async ({ builder }) => {
    const session = builder.ssh("nix-alpha", "brief");
    await awaitProcess(builder, "sleep 4");
    await builder.asRoot("systemctl stop nixgate.service; sleep 5; systemctl start nixgate.service");
    expect((await session).exitCode).toBe(6);
    expect(await lastEnd(builder)).toMatchObject({ exit: 6, cause: "exit" });
    await nothingLeft(builder);
  });

  test("a policy that is gone by then lets no session end otherwise", async ({ builder }) => {
    const session = builder.ssh("nix-alpha", "brief");
    await awaitProcess(builder, "sleep 4");
    await edit(builder, "alpha", "1i no = [toml");
    await builder.asRoot("systemctl restart nixgate.service");
    await restarted(builder);
    const { exitCode } = await session;
    await edit(builder, "alpha", "1d");
    expect(exitCode).toBe(6);
    expect(await lastEnd(builder)).toMatchObject({ exit: 6, cause: "exit" });
    await nothingLeft(builder);
  });

  test("a session that arrives meanwhile waits in the queue", async ({ builder }) => {
    await builder.asRoot("systemctl stop nixgate.service");
    const session = builder.ssh("nix-alpha", "quick");
    await waitFor("the front", () => text(builder, FRONT));
    await builder.asRoot("systemctl start nixgate.service");
    expect((await session).exitCode).toBe(0);
    await nothingLeft(builder);
  });

  test("and does not come back, a front that is killed while it waits leaves nothing", async ({ builder }) => {
    await neverBack(builder);
    const session = builder.ssh("nix-alpha", "quick");
    await waitFor("the front", () => text(builder, FRONT));
    await builder.asRoot("sleep 2; pkill -KILL -u nix-alpha -f nixgate-front");
    await nothingLeft(builder);
    await session;
    await backAgain(builder);
  });

  test("and does not come back, recover ends what it left, and beside one it ends nothing", async ({ builder }) => {
    using _client = startClient(builder, "wait");
    await awaitProcess(builder, "sleep 60");
    const started = (await recordsOf(builder, "alpha", "session.start")).at(-1)?.session;
    await builder.asRoot("nixgate recover");
    expect((await lastEnd(builder))?.session).not.toBe(started);
    await neverBack(builder);
    await builder.asRoot("nixgate recover"); // its front is still there
    expect((await lastEnd(builder))?.session).not.toBe(started);
    await builder.asRoot("pkill -KILL -u nix-alpha -f nixgate-front");
    expect((await builder.asRoot("nixgate recover")).exitCode).toBe(0);
    expect(await lastEnd(builder)).toMatchObject({ session: started, cause: "supervisor-lost" });
    await nothingLeft(builder);
    expect(await text(builder, "nixgate sessions verify --no-journal")).toContain("nothing found");
    await backAgain(builder);
  });

  test("and does not come back, a session gives up with 75", { timeout: 90_000 }, async ({ builder }) => {
    await neverBack(builder);
    const began = performance.now();
    const { exitCode, stderr } = await builder.ssh("nix-alpha", "quick");
    await backAgain(builder);
    expect(exitCode).toBe(75);
    expect(`${stderr}`).toBe("nixgate: the supervisor does not answer; try again later\n");
    expect(performance.now() - began).toBeLessThan(45_000);
    await nothingLeft(builder);
  });

  test.for([0, 0.05, 0.1, 0.2, 0.3, 0.5])(
    "%s seconds after a session has come, that session ends and is on record",
    async (seconds, { builder }) => {
      const before = (await recordsOf(builder, "alpha", "session.start")).length;
      const session = builder.ssh("nix-alpha", "quick");
      await builder.asRoot(`timeout 10 sh -c "until ${FRONT} >/dev/null; do sleep 0.01; done"; sleep ${seconds}`);
      await killSupervisor(builder);
      await restarted(builder);
      expect([0, 75, 137, 255]).toContain((await session).exitCode);
      await nothingLeft(builder);
      const starts = (await recordsOf(builder, "alpha", "session.start")).slice(before);
      const ends = (await recordsOf(builder, "alpha", "session.end")).map(({ session: id }) => id);
      for (const start of starts) expect(ends).toContain(start.session);
      expect(await text(builder, "nixgate sessions verify")).toContain("nothing found");
    },
  );
});

describe("while systemd is asked for a scope", () => {
  const pid = "systemctl show nixgate.service -P MainPID";
  test.for([
    ["the front is killed", `pkill -KILL -f "${"^/bin/sh /usr/bin/nixgate-front"}"`],
    ["its client is gone", "kill -KILL $parent"],
    ["the supervisor is killed", `kill -KILL $supervisor`],
  ])("%s: nothing is run twice, nothing is left, and all is on record", async ([, blow = ""], { builder }) => {
    await builder.asRoot("rm -f ~nix-alpha/ran");
    // no login while the bus stands still: pam_systemd(8) would wait for it
    const start =
      "exec setpriv --reuid nix-alpha --regid nix-alpha --init-groups sh -c 'SSH_ORIGINAL_COMMAND=mark /usr/bin/nixgate-front alpha; :'";
    const script = `bus=$(systemctl show dbus.service -P MainPID); supervisor=$(${pid}); cd /
      kill -STOP $bus; (${start}) </dev/null >/dev/null 2>&1 & parent=$!; sleep 2; ${blow}; sleep 1; kill -CONT $bus; sleep 3; kill -KILL $parent 2>/dev/null`;
    const before = (await recordsOf(builder, "alpha", "session.start")).length;
    await builder.asRoot(script);
    await restarted(builder);
    expect((await recordsOf(builder, "alpha", "session.start")).length).toBeGreaterThan(before);
    const open = async () => {
      const ended = (await recordsOf(builder, "alpha", "session.end")).map(({ session }) => session);
      return (await recordsOf(builder, "alpha", "session.start")).filter(({ session }) => !ended.includes(session));
    };
    await waitFor("all ends", async () => (await open()).length === 0, 30_000);
    await nothingLeft(builder);
    expect(Number(await text(builder, "cat ~nix-alpha/ran 2>/dev/null | wc -l"))).toBeLessThanOrEqual(1);
    expect(await text(builder, "nixgate sessions verify")).toContain("nothing found");
  });
});

test("a limit that is not in force when it is read back keeps a command from beginning", async ({ builder }) => {
  await edit(builder, "alpha", "s/^TasksMax = 64/&\\nIOWeight = 50/"); // the kernel of the test machine has no io.weight
  const { exitCode, stderr } = await builder.ssh("nix-alpha", "quick");
  await edit(builder, "alpha", "/^IOWeight = 50/d");
  expect(exitCode, `${stderr}`).toBe(69);
  expect(`${stderr}`).toContain("the command cannot be given its limits: limits.IOWeight is not there instead of");
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
  expect(`${stderr}`).toMatch(/^nixgate: the session cannot be put on record \(session [0-9a-f-]{36}\)\n$/);
  const said = await text(builder, "journalctl NIXGATE_EVENT=session.refuse -n 1 -o cat");
  expect(said).toMatch(/ENOSPC/);
  expect((await builder.ssh("nix-alpha", "quick")).exitCode).toBe(0);
});

describe("a front that is killed", () => {
  test.for([0, 0.05, 0.1, 0.2, 0.4, 0.8])("%s seconds after its start leaves nothing", async (seconds, { builder }) => {
    using _client = startClient(builder, "wait");
    await builder.asRoot(
      `timeout 10 sh -c "until ${FRONT} >/dev/null; do sleep 0.01; done"; sleep ${seconds}; pkill -KILL -u nix-alpha -f nixgate-front`,
    );
    await nothingLeft(builder);
    const open = async () => {
      const starts = (await recordsOf(builder, "alpha", "session.start")).map(({ session }) => session);
      const ends = (await recordsOf(builder, "alpha", "session.end")).map(({ session }) => session);
      return starts.every((session) => ends.includes(session));
    };
    await waitFor("its records to end", open);
  });
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
    const start = `cd /tmp; for i in $(seq ${starts}); do SSH_ORIGINAL_COMMAND=wait /usr/bin/nixgate-front alpha </dev/null >/dev/null 2>&1 & done; wait`;
    const all = builder.asAccount("nix-alpha", start);
    const allThere = async () => Number(await text(builder, `${FRONT} | wc -l`)) >= starts;
    await waitFor("all fronts", allThere, 60_000).finally(letGoOn);
    await serve();
    await builder.asRoot("pkill -KILL -u nix-alpha -f nixgate-front; pkill -KILL -u nix-alpha -x sleep");
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
      expect(await running(builder)).toBe(8);
      expect((await recordsOf(builder, "alpha", "session.start")).length - before).toBe(STARTS);
    });
    // the places are free at once
    expect((await builder.ssh("nix-alpha", "quick")).exitCode).toBe(0);
  });

  test("a bus that was slow, and has 200 of them to serve, turns none away", { timeout: 240_000 }, async ({
    builder,
  }) => {
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
    const withSlowBus =
      "pid=$(systemctl show nixgate.service -P MainPID); kill -STOP $bus; kill -CONT $pid; sleep 8; kill -CONT $bus";
    await atOnce(builder, STARTS, serve, () =>
      builder.asRoot(`bus=$(systemctl show dbus.service -P MainPID); ${withSlowBus}`),
    );
  });
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
