import { describe, expect } from "vitest";
import { waitFor } from "../support/wait-for.ts";
import { sliceFolder, supervised, systemctl } from "./managers.ts";
import { allow, edit, restorePolicies } from "./policies.ts";
import { records, recordsOf, sessionIn } from "./records.ts";
import { type Guest, test as plain } from "./support.ts";
import { awaitProcess, startClient } from "./waiting-client.ts";

const test = plain.extend<{ builder: Guest }>({
  builder: [
    async ({ guest }, use) => {
      await restorePolicies(guest);
      await allow(guest, "alpha", { wait: ["/bin/sleep", "30"], quick: ["/bin/true"], environment: ["/usr/bin/env"] });
      await use(guest);
      await restorePolicies(guest);
    },
    { scope: "file" },
  ],
});

const text = async (guest: Guest, command: string) => `${(await guest.asRoot(command)).stdout}`.trim();

describe("a command's scope", () => {
  test("lies in the team's slice, with the policy's limits in its cgroup files", async ({ builder }) => {
    await edit(builder, "alpha", 's/^CPUQuota = .*/CPUQuota = "40%"\\nCPUWeight = 50/');
    const session = builder.ssh("nix-alpha", "wait");
    const folder = await text(
      builder,
      "for i in $(seq 100); do p=$(pgrep -u nix-alpha -x sleep) && break; sleep 0.1; done; cut -d: -f3 /proc/$p/cgroup",
    );
    const slice = await text(builder, `echo ${sliceFolder(builder)}`);
    expect(`/sys/fs/cgroup${folder}`.slice(0, slice.length)).toBe(slice);
    expect(folder.split("/").at(-1)).toMatch(/^nixgate-alpha-[0-9a-f-]{36}-1\.scope$/);
    const read = (file: string) => text(builder, `cat /sys/fs/cgroup${folder}/${file}`);
    expect(await read("pids.max")).toBe("64");
    expect(await read("memory.max")).toBe(String(256 * 1024 * 1024));
    expect(await read("memory.swap.max")).toBe("0");
    expect(await read("cpu.max")).toBe("40000 100000");
    expect(await read("cpu.weight")).toBe("50");
    const unit = folder.split("/").at(-1);
    const shown = await systemctl(builder, `show ${unit} -P RuntimeMaxUSec -P TimeoutStopUSec -P Description`);
    // nixgate's own SIGTERM comes first, and the supervisor's own SIGKILL: systemd's would take the shim as well
    expect(shown.split("\n")).toEqual(expect.arrayContaining(["10min 5s", supervised(builder) ? "7s" : "2s"]));
    const [start] = await recordsOf(builder, "alpha", "command.start");
    expect(start).toMatchObject({ unit, limits: { applied: { TasksMax: "64", CPUQuota: "40000 100000" } } });
    await builder.asRoot("pkill -u nix-alpha -x sleep");
    expect((await session).exitCode).toBe(143);
  });

  test("ends with its command, and the slice remains", async ({ builder }) => {
    expect((await builder.ssh("nix-alpha", "quick")).exitCode).toBe(0);
    const scopes = () => systemctl(builder, "list-units --no-legend --all 'nixgate-*.scope'");
    await waitFor("no scope", async () => (await scopes()) === "", 5000);
    expect(await systemctl(builder, "is-active nixgate-alpha.slice")).toBe("active");
  });

  test("has the team's limits on its slice, also after a change between two sessions", async ({ builder }) => {
    const slice = sliceFolder(builder);
    expect((await builder.ssh("nix-alpha", "quick")).exitCode).toBe(0);
    expect(await text(builder, `cat ${slice}/pids.max ${slice}/memory.max`)).toBe(`512\n${1024 ** 3}`);
    await edit(builder, "alpha", 's/^TasksMax = 512$/TasksMax = 300/\ns/^MemoryMax = "1G"$//');
    expect((await builder.ssh("nix-alpha", "quick")).exitCode).toBe(0);
    expect(await text(builder, `cat ${slice}/pids.max ${slice}/memory.max`)).toBe("300\nmax");
  });

  test("has its invocation id in the record, if systemd has one", async ({ builder }) => {
    const version = Number(await text(builder, "systemctl --version | awk 'NR == 1 { print $2 + 0 }'"));
    await builder.ssh("nix-alpha", "quick");
    const invocation = (await recordsOf(builder, "alpha", "command.start")).at(-1)?.invocation;
    // systemd-run names it from version 254 on; over D-Bus every version does
    if (version >= 254 || supervised(builder)) expect(invocation).toMatch(/^[0-9a-f]{32}$/);
    else expect(invocation).toBeUndefined();
  });
});

describe("records", () => {
  test("are in the files and in the journal, with the writing account", async ({ builder }) => {
    const { stderr } = await builder.ssh("nix-alpha", "no such thing");
    const id = sessionIn(stderr);
    const inFile = (await records(builder, "alpha")).filter(({ session }) => session === id);
    expect(inFile.map(({ event }) => event)).toEqual(["session.start", "command.deny", "session.end"]);
    const journal = await text(builder, `journalctl --quiet --output json NIXGATE_SESSION=${id}`);
    const entries = journal.split("\n").map((line) => JSON.parse(line));
    expect(entries.map((entry) => entry["NIXGATE_EVENT"]).sort()).toEqual(inFile.map(({ event }) => event).sort());
    expect(entries.map((entry) => JSON.parse(entry["NIXGATE_RECORD"]).hash).sort()).toEqual(
      inFile.map(({ hash }) => hash).sort(),
    );
    expect(new Set(entries.map((entry) => entry["_UID"]))).toEqual(
      new Set([supervised(builder) ? "0" : await text(builder, "id -u nix-alpha")]),
    );
    expect(
      await text(builder, `journalctl --quiet --output cat NIXGATE_TEAM=alpha NIXGATE_EVENT=command.deny`),
    ).toContain("denied");
  });

  test("contain the client's address", async ({ builder }) => {
    await builder.ssh("nix-alpha", "quick");
    const start = (await recordsOf(builder, "alpha", "session.start")).at(-1);
    const isolation = supervised(builder) ? "scope-system" : "scope-user";
    expect(start).toMatchObject({ user: "nix-alpha", isolation, client: { ip: "192.0.2.1" } });
  });
});

describe("the command's environment", () => {
  test("contains systemd's variables, and none of the client's", async ({ builder }) => {
    const options = ["-o", "SetEnv=LANG=xx_XX LC_ALL=evil NODE_OPTIONS=--bad"];
    const { stdout } = await builder.ssh("nix-alpha", "environment", { options });
    const names = `${stdout}`
      .trim()
      .split("\n")
      .map((line) => line.split("=")[0]);
    // an account whose scopes are root's has no use for a manager of its own
    const systemds = supervised(builder) ? [] : ["INVOCATION_ID", "DBUS_SESSION_BUS_ADDRESS", "XDG_RUNTIME_DIR"];
    const own = ["HOME", "LANG", "LOGNAME", "PATH", "SHELL", "USER"];
    expect(names.filter((name) => name !== "PWD" && !systemds.includes(name as string)).sort()).toEqual(own);
    expect(`${stdout}`).toContain("LANG=C.UTF-8");
  });
});

describe("refusals", () => {
  test.for<[string, string[], string, string]>([
    ["an unlisted request", [], "id", "not-allowlisted"],
    ["sftp", ["-s"], "sftp", "subsystem"],
    ["scp's old protocol", [], "scp -t /tmp", "not-allowlisted"],
    ["a control character", [], "nix-daemon\t--stdio", "malformed"],
  ])("%s is denied with one line and a record", async ([, options, request, reason], { builder }) => {
    const { exitCode, stderr, stdout } = await builder.ssh("nix-alpha", request, { options });
    const id = sessionIn(stderr);
    expect(exitCode).toBe(reason === "malformed" ? 65 : 77);
    expect(stdout.length).toBe(0);
    // of a subsystem sshd does not pass stderr on (CHAN_EXTENDED_IGNORE), so the client has no id to quote
    const denied = (await recordsOf(builder, "alpha", "command.deny")).at(-1);
    expect(denied).toMatchObject({ reason, ...(id && { session: id }) });
    if (reason !== "subsystem") expect(id).toBeDefined();
  });

  test("a request for a terminal is refused", async ({ builder }) => {
    const { exitCode, stdout } = await builder.ssh("nix-alpha", "environment", { options: ["-tt"] });
    // PermitTTY no: some clients go on without one, some give up
    expect([0, 255]).toContain(exitCode);
    expect(`${stdout}`).not.toMatch(/\r|SSH_TTY/);
  });

  test.for([
    ["local", ["-L", "4999:localhost:22"]],
    ["remote", ["-R", "4999:localhost:22"]],
    ["dynamic", ["-D", "4998"]],
  ] as const)("%s forwarding gets no connection through", async ([kind, options], { builder }) => {
    const forwards = [...options, "-o", "ExitOnForwardFailure=no"];
    const session = builder.ssh("nix-alpha", "wait", { options: forwards });
    const port = kind === "dynamic" ? 4998 : 4999;
    const probe =
      "for i in 1 2 3 4 5; do timeout 1 bash -c 'exec 3<>/dev/tcp/127.0.0.1/PORT; head -c 3 <&3' 2>/dev/null | grep -q SSH && echo through; sleep 0.2; done";
    expect(await text(builder, probe.replace("PORT", String(port)))).toBe("");
    await builder.asRoot("pkill -u nix-alpha -x sleep");
    await session;
  });
});

test("hosts whose /bin/sh is bash or busybox serve sessions as those with dash", async ({ builder }) => {
  await allow(builder, "alpha", {
    status: ["/bin/sh", "-c", "echo out; echo err >&2; exit 7"],
    killed: ["/bin/sh", "-c", "kill -KILL $$"],
  });
  const spoken = async (request: string, input = "") => {
    const { exitCode, stdout, stderr } = await builder.ssh("nix-alpha", request, { input });
    return [exitCode, `${stdout}`, `${stderr}`];
  };
  for (const shell of ["/bin/bash", "/bin/busybox"]) {
    await builder.asRoot(`mount --bind ${shell} $(readlink -f /bin/sh)`);
    try {
      expect(await spoken("status")).toEqual([7, "out\n", "err\n"]);
      // of nixgate's, and nothing of the shell's
      const line = expect.stringMatching(/^nixgate: .*\(session [^\n]*\)\n$/);
      expect(await spoken("killed")).toEqual([137, "", line]);
      expect(await spoken("rm -rf /")).toEqual([77, "", line]);
      expect(await spoken("bash", "echo started\nstatus\nexec status\n")).toEqual([
        7,
        "started\nout\nout\n",
        "err\nerr\n",
      ]);
      const ends = (await recordsOf(builder, "alpha", "session.end")).length;
      using client = startClient(builder, "wait");
      await awaitProcess(builder, "sleep 30");
      client.kill();
      await waitFor("its end", async () => (await recordsOf(builder, "alpha", "session.end")).length > ends);
      expect((await recordsOf(builder, "alpha", "session.end")).at(-1)).toMatchObject({ cause: "client-gone" });
      expect((await builder.asRoot("pgrep -u nix-alpha -x sleep")).exitCode).toBe(1);
    } finally {
      await builder.asRoot("umount --lazy $(readlink -f /bin/sh)");
    }
  }
});
