import { describe, expect } from "vitest";
import { waitFor } from "../../support/wait-for.ts";
import { asSshd } from "../as-sshd.ts";
import { allow, edit } from "../policies.ts";
import { recordsOf } from "../records.ts";
import {
  backAgain,
  busySystemd,
  killSupervisor,
  lastEnd,
  neverBack,
  nothingLeft,
  restarted,
  SHIM,
  signalSupervisor,
  test,
  text,
} from "../supervision.ts";
import { awaitProcess, startClient } from "../waiting-client.ts";

describe("when the supervisor is killed", () => {
  test("a running session continues and ends with complete records", async ({ builder }) => {
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

  test("a hundred running sessions continue, also when another version comes", { timeout: 300_000 }, async ({
    builder,
  }) => {
    const HUNDRED = 100;
    await allow(builder, "alpha", { long: ["/bin/sh", "-c", "exec sleep 45"] });
    await edit(builder, "alpha", "s/^max_concurrent = .*/max_concurrent = 200/\ns/^TasksMax = 512/TasksMax = 4096/");
    const before = (await recordsOf(builder, "alpha", "session.end")).length + 1; // and that of the newcomer
    const start = "SSH_ORIGINAL_COMMAND=long exec /usr/local/bin/nixgate-shim alpha";
    const all = builder.asRoot(asSshd("nix-alpha", start, HUNDRED));
    await waitFor("all", async () => (await text(builder, "pgrep -c -u nix-alpha -x sleep")) === `${HUNDRED}`, 120_000);
    // the code that V8 keeps has the version in it
    const upgrade = `sed 's/"0\\.1\\.0"/"9.9.9"/' old/nixgate.cjs >dist/nixgate.cjs; rm dist/nixgate.cache`;
    const swap = `cd /usr/local/lib/node_modules/nixgate; mv dist old; cp -a old dist; ${upgrade}`;
    await builder.asRoot(`${swap}; systemctl restart nixgate.service`);
    await builder.ssh("nix-alpha", "quick");
    expect((await recordsOf(builder, "alpha", "session.start")).at(-1)).toMatchObject({ nixgate: "9.9.9" });
    await builder.asRoot("cd /usr/local/lib/node_modules/nixgate; rm -r dist; mv old dist");
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

  test("a session that ends without a supervisor gets its own status from the next one", async ({ builder }) => {
    const session = builder.ssh("nix-alpha", "brief");
    await awaitProcess(builder, "sleep 4");
    await builder.asRoot("systemctl stop nixgate.service; sleep 5; systemctl start nixgate.service");
    expect((await session).exitCode).toBe(6);
    expect(await lastEnd(builder)).toMatchObject({ exit: 6, cause: "exit" });
    await nothingLeft(builder);
  });

  test("a session whose policy became invalid meanwhile ends in the same way", async ({ builder }) => {
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
    await waitFor("the shim", () => text(builder, SHIM));
    await builder.asRoot("systemctl start nixgate.service");
    expect((await session).exitCode).toBe(0);
    await nothingLeft(builder);
  });

  test("and not restarted, a shim without an answer gives up", { timeout: 90_000 }, async ({ builder }) => {
    await signalSupervisor(builder, "STOP");
    const session = builder.ssh("nix-alpha", "quick");
    await waitFor("the shim to stand still", async () => /^T/.test(await text(builder, `ps -o stat= -p $(${SHIM})`)));
    await neverBack(builder, "kill -KILL $(systemctl show nixgate.service -P MainPID)");
    const { exitCode, stderr } = await session;
    expect([exitCode, `${stderr}`]).toEqual([75, "nixgate: the supervisor does not answer; try again later\n"]);
    await nothingLeft(builder);
    await backAgain(builder);
  });

  test("and not restarted, a shim that is killed while it waits leaves nothing", async ({ builder }) => {
    await neverBack(builder);
    const session = builder.ssh("nix-alpha", "quick");
    await waitFor("the shim", () => text(builder, SHIM));
    await builder.asRoot("sleep 2; pkill -KILL -u nix-alpha -f nixgate-shim");
    await nothingLeft(builder);
    await session;
    await backAgain(builder);
  });

  test("and not restarted, recover ends its sessions, and beside a running one it ends none", async ({ builder }) => {
    using _client = startClient(builder, "wait");
    await awaitProcess(builder, "sleep 60");
    const started = (await recordsOf(builder, "alpha", "session.start")).at(-1)?.session;
    await builder.asRoot("nixgate recover");
    expect((await lastEnd(builder))?.session).not.toBe(started);
    await neverBack(builder);
    await builder.asRoot("nixgate recover"); // its shim is still there
    expect((await lastEnd(builder))?.session).not.toBe(started);
    await builder.asRoot("pkill -KILL -u nix-alpha -f nixgate-shim");
    expect((await builder.asRoot("nixgate recover")).exitCode).toBe(0);
    expect(await lastEnd(builder)).toMatchObject({ session: started, cause: "supervisor-lost" });
    await nothingLeft(builder);
    expect(await text(builder, "nixgate sessions verify --no-journal")).toContain("nothing found");
    await backAgain(builder);
  });

  test("and not restarted, a session gives up with 75", { timeout: 90_000 }, async ({ builder }) => {
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
      await builder.asRoot(`timeout 10 sh -c "until ${SHIM} >/dev/null; do sleep 0.01; done"; sleep ${seconds}`);
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
    ["the shim is killed", `pkill -KILL -f "${"^/bin/sh /usr/local/bin/nixgate-shim"}"`],
    ["its client is gone", "kill -KILL $parent"],
    ["the supervisor is killed", `kill -KILL $supervisor`],
  ])(
    "%s: no command runs twice, no process is left, and every session is on record",
    async ([, blow = ""], { builder }) => {
      await builder.asRoot("rm -f ~nix-alpha/ran");
      // no login while systemd answers nobody: pam_systemd(8) would wait for it
      const start = asSshd("nix-alpha", "SSH_ORIGINAL_COMMAND=mark exec /usr/local/bin/nixgate-shim alpha");
      const script = `supervisor=$(${pid}); cd /; ${busySystemd(5)}
      (${start}) & sleep 2; parent=$(pgrep -x as-sshd -u nix-alpha); ${blow}; sleep 5; kill -KILL $parent 2>/dev/null`;
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
    },
  );
});

describe("a shim that is killed", () => {
  test.for([0, 0.05, 0.1, 0.2, 0.4, 0.8])("%s seconds after its start leaves nothing", async (seconds, { builder }) => {
    using _client = startClient(builder, "wait");
    await builder.asRoot(
      `timeout 10 sh -c "until ${SHIM} >/dev/null; do sleep 0.01; done"; sleep ${seconds}; pkill -KILL -u nix-alpha -f nixgate-shim`,
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
