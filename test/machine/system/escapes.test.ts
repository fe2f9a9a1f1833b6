import { describe, expect } from "vitest";
import { waitFor } from "../../support/wait-for.ts";
import { allow, editHost } from "../policies.ts";
import { recordsOf } from "../records.ts";
import { nothingLeft, test as plain, SHIM, signalSupervisor, text } from "../supervision.ts";
import type { Guest } from "../support.ts";
import { startClient } from "../waiting-client.ts";

/** What a command of a session runs, as the account and in its scope. */
const test = plain.extend<{ code: true }>({
  code: [
    async ({ builder }, use) => {
      await allow(builder, "alpha", { code: ["/bin/sh", "-s"] });
      await use(true);
    },
    { scope: "file", auto: true },
  ],
});

const lastEnd = async (guest: Guest) => (await recordsOf(guest, "alpha", "session.end")).at(-1);
const attackers = (guest: Guest) => text(guest, "pgrep -u nix-alpha -f 'sleep 7[0-9][0-9]$'");

describe("code that a session runs", () => {
  test("finds no unit that systemd would move it to", async ({ builder }) => {
    const manager = "org.freedesktop.systemd1 /org/freedesktop/systemd1 org.freedesktop.systemd1.Manager";
    const attach = `busctl call ${manager} AttachProcessesToUnit ssau`;
    const input = `
      for unit in user@$(id -u).service user-$(id -u).slice $(basename /sys/fs/cgroup/user.slice/user-$(id -u).slice/session-*.scope); do
        ${attach} $unit "" 1 $$ 2>&1
        grep -q /nixgate-alpha.slice/ /proc/$$/cgroup || echo "moved to $unit"
      done`;
    const { stdout, exitCode } = await builder.ssh("nix-alpha", "code", { input });
    expect(`${stdout}`).not.toMatch(/^moved/m);
    expect(exitCode).toBe(0);
    // nor would it for root, who is not kept from the bus
    const asRoot = `sleep 9 & ${attach} user@1001.service "" 1 $! 2>&1; kill $!`;
    expect(await text(builder, asRoot)).toContain("not available on non-delegated units");
    const delegated = "systemctl show --property=Delegate --value user@1001.service user-1001.slice";
    expect(await text(builder, `${delegated} | sort -u | xargs`)).toBe("no");
    expect(await lastEnd(builder)).toMatchObject({ cause: "exit", strays: 0 });
  });

  test("cannot trace its shim, nor write into its memory, in its own sandbox or without", async ({ builder }) => {
    const input = `
      for p in $(pgrep -u $(id -u)); do
        [ "$p" = $$ ] || perl -e 'my $p = shift; open(my $m, "+<", "/proc/$p/mem") and print "opened $p\\n"; kill 0, $p and syscall(101, 16, $p + 0, 0, 0) == 0 and print "traces $p\\n"' $p
      done; echo tried $(pgrep -u $(id -u) -f nixgate-shim | wc -l)`;
    const ask = async () => `${(await builder.ssh("nix-alpha", "code", { input })).stdout}`;
    expect(await ask()).toBe("tried 1\n");
    await editHost(builder, 's/^manager = "system".*/&\\nconfine = true/');
    const confined = await ask();
    await editHost(builder, "/^confine = true/d");
    expect(confined).toBe("tried 2\n");
  });

  test("opens no stream of another session of its account, in its own sandbox or without", async ({ builder }) => {
    using _loop = startClient(builder);
    using _waits = startClient(builder, "wait");
    const victims = "pgrep -u nix-alpha -f 'read-request|sleep 60$|nixgate-shim'";
    const input = `tried=0
      for p in $(${victims}); do for n in 0 1 2 3; do
        case $(readlink /proc/$p/fd/$n) in pipe:*) ;; *) continue ;; esac
        tried=$((tried + 1))
        (exec 9<>/proc/$p/fd/$n) 2>/dev/null && echo "opened $n of $(tr '\\0' ' ' </proc/$p/cmdline)"
      done; done; [ "$tried" -lt 9 ] || echo tried`;
    const readers = "pgrep -u nix-alpha -f read-request && pgrep -u nix-alpha -fx '/bin/sleep 60'";
    await waitFor("both sessions", async () => (await builder.asRoot(readers)).exitCode === 0);
    const ask = async () => `${(await builder.ssh("nix-alpha", "code", { input })).stdout}`;
    const plainly = await ask();
    await editHost(builder, 's/^manager = "system".*/&\\nconfine = true/');
    const confined = await ask();
    await editHost(builder, "/^confine = true/d");
    expect([plainly, confined]).toEqual(["tried\n", "tried\n"]);
  });

  test("ends no session of its account that has not begun, in its shim's name", async ({ builder }) => {
    const starts = async () => (await recordsOf(builder, "alpha", "session.start")).length;
    const before = await starts();
    await signalSupervisor(builder, "STOP");
    const session = builder.ssh("nix-alpha", "code", { input: "exit 6" });
    const pid = await waitFor("its shim", () => text(builder, SHIM));
    // the shim's own line is in the FIFO; more are there before the supervisor reads it
    const says = `for line in "${pid} 2 0" "${pid} 3 0" "${pid} 9 0"; do printf '\\n%s\\n' "$line"; done >/run/nixgate/alpha/requests`;
    const forged = await builder.asAccount("nix-alpha", says);
    await signalSupervisor(builder, "CONT");
    expect([forged.exitCode, (await session).exitCode]).toEqual([0, 6]);
    expect(await starts()).toBe(before + 1);
    expect(await lastEnd(builder)).toMatchObject({ cause: "exit" });
  });

  test("ends no session of its account whose command runs, in its shim's name", async ({ builder }) => {
    const session = builder.ssh("nix-alpha", "code", { input: "sleep 8; exit 6" });
    await waitFor("its command", () => text(builder, "pgrep -u nix-alpha -fx 'sleep 8'"));
    const forged = `printf '\\n%s\\n' "${await text(builder, SHIM)} 2 0" >/run/nixgate/alpha/requests`;
    expect((await builder.ssh("nix-alpha", "code", { input: forged })).exitCode).toBe(0);
    expect((await session).exitCode).toBe(6);
    expect(await lastEnd(builder)).toMatchObject({ cause: "exit", exit: 6 });
  });

  // the kernel's own defence is taken away when the session has begun
  test("stays in its scope also where it has taken the shim's place", async ({ builder }) => {
    const evil = `trap : TERM; printf '\\n%s\\n' "$$ 2 0" >/run/nixgate/alpha/requests
      i=0; while [ $i -lt 300000 ]; do i=$((i + 1)); done
      (setsid sleep 701 </dev/null >/dev/null 2>&1 &); (setsid sleep 702 </dev/null >/dev/null 2>&1 &)
      while :; do kill -STOP $$; done`;
    const input = `cat >/tmp/nixgate-shim <<'EVIL'\n${evil}\nEVIL\ncat >/tmp/take.pl <<'PERL'\n${TAKE_PLACE}\nPERL
      sleep 2; perl /tmp/take.pl $PPID /bin/sh /tmp/nixgate-shim alpha; sleep 5`;
    const session = builder.ssh("nix-alpha", "code", { input });
    await waitFor("the session", () => text(builder, "pgrep -u nix-alpha -fx 'sleep 2'"));
    await builder.asRoot("sysctl -qw kernel.yama.ptrace_scope=0");
    const places = new Set<string>();
    await waitFor("what the shim's place was taken for", async () => (await attackers(builder)) !== "");
    await waitFor(
      "it to be ended",
      async () => {
        const found = await text(
          builder,
          "for p in $(pgrep -u nix-alpha -f 'sleep 7[0-9][0-9]$'); do cat /proc/$p/cgroup; done",
        );
        for (const place of found.split("\n")) if (place !== "") places.add(place.replace(/[^/]*$/, ""));
        return (await attackers(builder)) === "";
      },
      90_000,
    );
    await builder.asRoot("systemctl restart systemd-sysctl.service; rm -f /tmp/nixgate-shim /tmp/take.pl");
    await session;
    expect([...places]).toEqual(["0::/nixgate.slice/nixgate-alpha.slice/"]);
  }, 120_000);

  test("begins no session, with whatever name and address", async ({ builder }) => {
    const before = (await recordsOf(builder, "alpha", "session.start")).length;
    const forged =
      'SSH_CONNECTION="203.0.113.9 4711 192.0.2.2 22" SSH_ORIGINAL_COMMAND=quick /usr/local/bin/nixgate-shim alpha boss; echo $?';
    // as a cron job or a login without a shim would; and by a program of that name, which its account may run as well
    const pretends = `
      cd /tmp; ${forged}
      mkdir -p $HOME/own && cp /usr/bin/perl $HOME/own/sshd-session && exec $HOME/own/sshd-session -e 'fork or exec "/bin/sh", "-c", q(${forged}); wait'`;
    const { stdout } = await builder.asAccount("nix-alpha", pretends);
    expect(`${stdout}`).toBe("77\n77\n");
    const starts = (await recordsOf(builder, "alpha", "session.start")).slice(before);
    expect(starts).toHaveLength(2);
    for (const start of starts) {
      expect(start).not.toHaveProperty("member");
      expect(start).not.toHaveProperty("client");
    }
    const refusals = (await recordsOf(builder, "alpha", "session.refuse")).slice(-2);
    expect(refusals).toMatchObject(starts.map(({ session }) => ({ session, reason: "not-by-sshd" })));
    expect(await text(builder, "journalctl -u nixgate.service -o cat | grep 'sshd did not start'")).toMatch(
      /its parent's parent is not a process of root/,
    );
  });
});

describe("a process of the account outside of its sessions", () => {
  /** By a door that the account does not have: systemd starts it as cron(8) would, without a login. */
  const job = (guest: Guest, ...words: string[]) =>
    guest.asRoot(`systemd-run --quiet --uid=nix-alpha --collect -p KillMode=none ${words.join(" ")}`);

  test("is ended while a session runs, however it left, and is on record", async ({ builder }) => {
    const session = builder.ssh("nix-alpha", "code", { input: "setsid sleep 703 & sleep 25" });
    const gone = await waitFor("the command", () => text(builder, "pgrep -u nix-alpha -fx 'sleep 703'"));
    await builder.asRoot(`mkdir -p /sys/fs/cgroup/astray; echo ${gone} >/sys/fs/cgroup/astray/cgroup.procs`);
    await job(builder, "sleep 704");
    // logins of root's making and another team's processes are none of this
    const login = builder.asAccount("nix-alpha", "sleep 30; echo done");
    await builder.asRoot("systemd-run --quiet --uid=nix-beta --collect sleep 705");
    await waitFor("their end", async () => (await attackers(builder)) === "", 20_000);
    expect(await text(builder, "pgrep -u nix-beta -f 'sleep 705$' | wc -l; pkill -u nix-beta -x sleep")).toBe("1");
    await session;
    await builder.asRoot("rmdir /sys/fs/cgroup/astray");
    expect(await lastEnd(builder)).toMatchObject({ strays: 2 });
    expect(`${(await login).stdout}`).toBe("done\n");
    const said = await text(
      builder,
      "journalctl -u nixgate.service -o cat | grep 'were outside of its sessions' | tail -1",
    );
    expect(said).toContain('"commands":["sleep"]');
    const story = await text(builder, `nixgate sessions show ${(await lastEnd(builder))?.session}`);
    expect(story).toContain("2 of the account outside of its sessions ended");
  }, 90_000);

  test("is ended at a session's end, even if it forks all the time", async ({ builder }) => {
    const hop = `perl -e '$SIG{TERM} = "IGNORE"; for (1..2) { fork or last } while (1) { fork and exit }'`;
    const asAccount = "setsid setpriv --reuid nix-alpha --regid nix-alpha --clear-groups";
    await builder.asRoot(`${asAccount} ${hop} </dev/null >/dev/null 2>&1 &`);
    await waitFor("it to run", async () => (await text(builder, "pgrep -u nix-alpha -x perl")) !== "");
    await job(builder, "sleep 706");
    const { exitCode } = await builder.ssh("nix-alpha", "quick");
    // where all of the account had to be ended at once, this session was among it
    expect([0, 137, 255]).toContain(exitCode);
    await waitFor("the end", async () => (await text(builder, "pgrep -u nix-alpha")) === "", 30_000);
    await waitFor("its record", async () => ((await lastEnd(builder))?.strays ?? 0) > 1);
    expect((await builder.ssh("nix-alpha", "quick")).exitCode).toBe(0);
    expect(await lastEnd(builder)).toMatchObject({ strays: 0 });
  }, 90_000);
});

test("a shim that reads the next line is in the team's slice, and its memory is not the command's", async ({
  builder,
}) => {
  const ends = async () => (await recordsOf(builder, "alpha", "command.end")).length;
  const before = await ends();
  using client = startClient(builder);
  const readers = () => text(builder, "for p in $(pgrep -u nix-alpha -f read-request); do cat /proc/$p/cgroup; done");
  const waits = /^0::\/nixgate.slice\/nixgate-alpha.slice\/nixgate-alpha-[0-9a-f-]+-\d-wait.scope$/;
  expect(await waitFor("the first reader", readers)).toMatch(waits);
  client.stdin?.write("quick\n");
  await waitFor("the command", async () => (await ends()) > before);
  expect(await waitFor("the second reader", readers)).toMatch(waits);
  client.stdin?.end("quick\n");
  await waitFor("the other command", async () => (await ends()) > before + 1);
  for (const { usage } of (await recordsOf(builder, "alpha", "command.end")).slice(-2))
    expect(usage?.memory_peak_bytes).toBeLessThan(20 << 20);
  await nothingLeft(builder);
});

test("an account whose login shell reads its files, and a kernel that lets it trace, are served nothing", async ({
  builder,
}) => {
  const quick = () => builder.ssh("nix-alpha", "quick");
  const restarted = "systemctl restart nixgate.service";
  await builder.asRoot(`usermod --shell /bin/bash nix-alpha; ${restarted}`);
  const bash = await quick();
  await builder.asRoot(`usermod --shell /bin/sh nix-alpha; sysctl -qw kernel.yama.ptrace_scope=0; ${restarted}`);
  const traced = await quick();
  const checked = await text(builder, "nixgate check");
  const said = await text(builder, "journalctl -u nixgate.service -o cat | grep -c 'ptrace_scope is not 1'");
  await builder.asRoot("systemctl restart systemd-sysctl.service");
  expect([bash.exitCode, `${bash.stderr}`]).toEqual([78, expect.stringContaining("login shell must be /bin/sh")]);
  expect([traced.exitCode, `${traced.stderr}`]).toEqual([69, expect.stringContaining("kernel.yama.ptrace_scope is 0")]);
  expect(checked).toContain("kernel.yama.ptrace_scope of this host is not 1 or more");
  expect(said).not.toBe("0");
  expect((await quick()).exitCode).toBe(0);
});

/** take.pl PID PROGRAM ARG...: a process executes a program in its own place, by ptrace(2) (x86_64). */
const TAKE_PLACE = String.raw`use strict; my ($pid, @argv) = @ARGV;
my $regs = "\0" x 216;
syscall(101, 16, $pid+0, 0, 0) == -1 and die "attach: $!\n"; waitpid($pid, 0x40000000);
syscall(101, 12, $pid+0, 0, $regs) == -1 and die "getregs: $!\n";
my @r = unpack("Q27", $regs);
my ($rip, $rsp) = ($r[16], $r[19]);
open(my $mem, "+<", "/proc/$pid/mem") or die "mem: $!"; binmode $mem;
sub peek { my ($at,$n)=@_; sysseek($mem,$at,0); sysread($mem,my $b,$n); $b }
sub poke { my ($at,$b)=@_; sysseek($mem,$at,0) or die "seek $!"; syswrite($mem,$b)==length $b or die "write: $!" }
die "not in a system call\n" if peek($rip-2, 2) ne "\x0f\x05";
my $at = ($rsp - 65536) & ~4095; my ($strings, @ptrs) = ("");
for my $w (@argv) { push @ptrs, $at + length $strings; $strings .= "$w\0" }
my $vec = ($at + length($strings) + 15) & ~15;
poke($at, $strings); poke($vec, pack("Q*", @ptrs, 0));
@r[16,10,14,13,12,15] = ($rip - 2, 59, $ptrs[0], $vec, $vec + 8*@ptrs, 0xffffffffffffffff);
$regs = pack("Q27", @r);
syscall(101, 13, $pid+0, 0, $regs) == -1 and die "setregs: $!\n";
syscall(101, 17, $pid+0, 0, 0) == -1 and die "detach: $!\n";`;
