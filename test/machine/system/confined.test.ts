import { describe, expect } from "vitest";
import { waitFor } from "../../support/wait-for.ts";
import { asSshd } from "../as-sshd.ts";
import { sliceFolder } from "../managers.ts";
import { allow, editHost, restorePolicies } from "../policies.ts";
import { realClients } from "../real-clients.ts";
import { recordsOf } from "../records.ts";
import { backAgain, killSupervisor, neverBack, text } from "../supervision.ts";
import { type Guest, test as plain } from "../support.ts";
import { awaitProcess, startClient } from "../waiting-client.ts";

const PROBE = "perl -MSocket -e 'socket(my $s, AF_INET, SOCK_STREAM, 0) or print qq(inet: $!\\n)'";
const TRIES = [
  "grep -E '^(NoNewPrivs|Seccomp|CapBnd):' /proc/self/status",
  "(echo x >/etc/x) 2>&1; (echo x >/var/log/x) 2>&1; ls -a /home /run/user | xargs; ls /tmp | wc -l",
  "echo mine >/tmp/mine && cat /tmp/mine",
  "ls -d /proc/1 2>&1; unshare -U true 2>&1; [ -e /dev/sda ] || [ -e /dev/ubda ] || echo no disks",
  PROBE,
].join("; ");

/** The same guest, with every command of its sessions confined. */
const test = plain.extend<{ confined: true }>({
  confined: [
    async ({ guest }, use) => {
      await restorePolicies(guest);
      await editHost(guest, 's/^manager = "system".*/&\\nconfine = true/');
      await allow(guest, "alpha", {
        tries: ["/bin/sh", "-c", TRIES],
        wait: ["/bin/sleep", "60"],
        brief: ["/bin/sh", "-c", "sleep 4; exit 6"],
        seven: ["/bin/sh", "-c", "echo out; echo err >&2; exit 7"],
        killed: ["/bin/sh", "-c", "kill -KILL $$"],
        echo: ["/bin/cat"],
        once: ["/bin/sh", "-c", "echo ran; sleep 61"],
        hidden: ["/home/nix-alpha/tool"],
        leftover: ["/bin/sh", "-c", "setsid sleep 50 & exit 0"],
      });
      await use(true);
      await restorePolicies(guest);
    },
    { scope: "file", auto: true },
  ],
});

const UNITS = "ls -d /sys/fs/cgroup/nixgate.slice/nixgate-alpha.slice/*.service 2>/dev/null";
const nothingLeft = (guest: Guest) =>
  waitFor("nothing to be left", async () => (await text(guest, `${UNITS}; pgrep -u nix-alpha`)) === "");
const lastEnd = async (guest: Guest) => (await recordsOf(guest, "alpha", "command.end")).at(-1);

realClients(test);

describe("a confined command", () => {
  test("has the policy's limits, in a service of the team's slice", async ({ guest }) => {
    using _client = startClient(guest, "wait");
    await awaitProcess(guest, "^/bin/sleep 60");
    const folder = `${sliceFolder(guest)}/$(basename $(${UNITS}))`;
    expect(await text(guest, `cat ${folder}/pids.max ${folder}/memory.max`)).toBe(`64\n${256 << 20}`);
    const start = (await recordsOf(guest, "alpha", "command.start")).at(-1);
    expect(start?.unit).toMatch(/^nixgate-alpha-[0-9a-f-]{36}-1\.service$/);
    expect(start).toMatchObject({ limits: { applied: { TasksMax: "64" } }, invocation: expect.any(String) });
    expect(await text(guest, "nixgate sessions top --once")).toMatch(/2 \/ 64 +wait$/m);
    await guest.asRoot("pkill -u nix-alpha -x sleep");
    await nothingLeft(guest);
  });

  test("can open only the files and sockets that a client of Nix needs", async ({ guest }) => {
    const { stdout } = await guest.ssh("nix-alpha", "tries");
    expect(`${stdout}`.trim().split("\n")).toEqual([
      "CapBnd:\t0000000000000000",
      "NoNewPrivs:\t1",
      "Seccomp:\t2",
      "/bin/sh: 1: cannot create /etc/x: Read-only file system",
      "/bin/sh: 1: cannot create /var/log/x: Read-only file system",
      "/home: . .. /run/user: . ..",
      "0",
      "mine",
      "ls: cannot access '/proc/1': No such file or directory",
      "unshare: unshare failed: Operation not permitted",
      "no disks",
      "inet: Address family not supported by protocol",
    ]);
    expect(await text(guest, "ls /tmp/mine 2>&1")).toContain("No such file");
  });

  test("has the client's own streams, and its status is the session's", async ({ guest }) => {
    const { stdout, stderr, exitCode } = await guest.ssh("nix-alpha", "seven");
    expect({ stdout: `${stdout}`, stderr: `${stderr}`, exitCode }).toEqual({
      stdout: "out\n",
      stderr: "err\n",
      exitCode: 7,
    });
    const input = Buffer.from(Array.from({ length: 1 << 20 }, (_, index) => (index * 7) % 256));
    const echoed = await guest.ssh("nix-alpha", "echo", { input });
    expect(Buffer.compare(echoed.stdout, input)).toBe(0);
    expect((await guest.ssh("nix-alpha", "killed")).exitCode).toBe(137);
    expect(await lastEnd(guest)).toMatchObject({ cause: "signal", signal: "SIGKILL" });
  });

  test("leaves no process, and the record counts its leftovers", async ({ guest }) => {
    expect((await guest.ssh("nix-alpha", "leftover")).exitCode).toBe(0);
    expect(await lastEnd(guest)).toMatchObject({ cause: "exit", leftovers: 1 });
    await nothingLeft(guest);
  });

  test("ends with its client", async ({ guest }) => {
    {
      using _client = startClient(guest, "wait");
      await awaitProcess(guest, "^/bin/sleep 60");
    }
    await nothingLeft(guest);
    await waitFor("its record", async () => (await lastEnd(guest))?.cause === "client-gone");
  });

  test("ends when the first process of its service is killed", async ({ guest }) => {
    const session = guest.ssh("nix-alpha", "wait");
    await awaitProcess(guest, "^/bin/sleep 60");
    await guest.asRoot(`kill -KILL $(head -1 $(${UNITS})/cgroup.procs)`);
    expect((await session).exitCode).toBe(137);
    await nothingLeft(guest);
  });

  test("continues after a kill of the supervisor, and ends with its own status on record", async ({ guest }) => {
    const session = guest.ssh("nix-alpha", "brief");
    await awaitProcess(guest, "sleep 4");
    await killSupervisor(guest);
    expect((await session).exitCode).toBe(6);
    expect(await lastEnd(guest)).toMatchObject({ cause: "exit", exit_code: 6 });
    await nothingLeft(guest);
    expect(await text(guest, "nixgate sessions verify")).toContain("nothing found");
  });

  test("that ends without a supervisor is not run again by the next one", async ({ guest }) => {
    const session = guest.ssh("nix-alpha", "once");
    await awaitProcess(guest, "^sleep 61");
    await neverBack(guest);
    await guest.asRoot(`for unit in $(${UNITS}); do systemctl kill -s KILL $(basename $unit); done`);
    await backAgain(guest);
    const { exitCode, stdout, stderr } = await session;
    expect({ exitCode, said: `${stdout}` }).toEqual({ exitCode: 75, said: "ran\n" });
    expect(`${stderr}`).toBe("nixgate: the supervisor was restarted; try again\n");
    await nothingLeft(guest);
  });

  test("does not run if its streams are not sshd's pipes", async ({ guest }) => {
    const start = "SSH_ORIGINAL_COMMAND=seven exec /usr/local/bin/nixgate-shim alpha </etc/hostname";
    expect((await guest.asRoot(asSshd("nix-alpha", start))).exitCode).toBe(69);
    expect(await lastEnd(guest)).toMatchObject({ cause: "scope-failed" });
  });
});

test("a program hidden by the sandbox ends with nixgate's own status, and check and explain name it", async ({
  guest,
}) => {
  await guest.asAccount("nix-alpha", "cp /bin/true tool && chmod 755 tool");
  const { exitCode, stderr } = await guest.ssh("nix-alpha", "hidden");
  expect(exitCode, `${stderr}`).toBe(78);
  expect(`${stderr}`).toMatch(
    /^nixgate: the program of this request cannot be run: \/home\/nix-alpha\/tool does not exist/,
  );
  expect(await lastEnd(guest)).toMatchObject({ cause: "exec-failed" });
  expect(await text(guest, "nixgate check")).toContain("/home/nix-alpha/tool cannot be seen inside the sandbox");
  expect((await guest.asRoot("nixgate explain --team alpha -- hidden")).exitCode).toBe(78);
});

test("nixgate explain shows the sandbox", async ({ guest }) => {
  const shown = await text(guest, "nixgate explain --team alpha -- seven");
  expect(shown).toMatch(/^service: nixgate-alpha-[0-9a-f-]{36}-1\.service in nixgate-alpha\.slice$/m);
  expect(shown).toContain("\n  ProtectSystem=strict\n");
  expect(shown).toContain("\n  SystemCallFilter=@system-service\n");
});
