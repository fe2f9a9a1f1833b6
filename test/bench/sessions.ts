// npm run bench:sessions [-- --rounds N --waiting N]: what sessions cost under manager = "system", in a guest of the test
// machine that is set up that way.
// - A whole session around /bin/true through nixgate-shim, `node -e 0`, a plain shell wrapper, and what a shim runs
//   with nobody to ask (sh, env, setpriv) take turns, so that a busy machine slows all four; medians.
// - Sessions started per second, 50 at a time, against the wrapper; these take turns as well. What the services behind
//   the shims use of a CPU meanwhile.
// - One question to systemd over the supervisor's library and connection, and by busctl(1), a process for each.
// - What a waiting session and the supervisor hold in memory (Pss of smaps_rollup, proc(5)), and what the supervisor's
//   cgroup uses of a CPU while they wait.
// User-Mode Linux has one CPU, dear system calls and page faults, and ticks of 10 ms: the ratios and the memory say
// something, the milliseconds and the share of the CPU are upper bounds.
import { parseArgs } from "node:util";
import { execa } from "execa";
import { startGuest, stopGuest } from "../../tools/machine/guest.ts";
import { settings } from "../../tools/machine/settings.ts";
import { sshCommand } from "../../tools/machine/talk.ts";
import { asSshd, becomeConnection, PERL_AS_SSHD } from "../machine/as-sshd.ts";

const { values } = parseArgs({ options: { rounds: { type: "string" }, waiting: { type: "string" } } });
const rounds = Number(values.rounds ?? 31);
const waiting = Number(values.waiting ?? 500);

const COMMANDS = `
use Time::HiRes qw(time);
my %what = (shim => ["/usr/local/bin/nixgate-shim", "alpha"], node => ["node", "-e", "0"],
  shell => ["/bin/sh", "-c", '(exec env -i PATH=/usr/bin:/bin setpriv --no-new-privs -- /bin/true); exit $?'],
  wrapper => ["/bin/sh", "-c", 'case $SSH_ORIGINAL_COMMAND in true) exec /bin/true ;; *) exit 1 ;; esac']);
$ENV{SSH_ORIGINAL_COMMAND} = "true";
sub start { my $pid = fork // die; return $pid if $pid;
  open STDIN, "</dev/null"; open STDOUT, ">/dev/null"; exec @{$what{$_[0]}} }
sub median { my @sorted = sort { $a <=> $b } @_; return $sorted[@sorted / 2] }
my %took;
`;

/** Times three commands in turn, as the account, and prints the median of each in milliseconds. */
const TURNS = `${COMMANDS}
for my $round (-3 .. ${rounds - 1}) {
  for my $name (sort keys %what) {
    my $began = time;
    waitpid start($name), 0; $? == 0 or die "$name: $?";
    push @{$took{$name}}, 1000 * (time - $began) if $round >= 0;
  }
}
printf "%s %.2f\n", $_, median(@{$took{$_}}) for sort keys %took;
`;

const TOGETHER = 50;
const EACH_TIME = 200;
const CROWDS_OF_EACH = 6;

/** Starts one or the other, so many that `TOGETHER` are always there, and prints for each how many there were in a second. */
const CROWDS = `${COMMANDS}
for my $round (1 .. ${CROWDS_OF_EACH}) {
  for my $name (qw(shim wrapper)) {
    my ($there, $started, $began) = (0, 0, time);
    while ($started < ${EACH_TIME} || $there > 0) {
      if ($started < ${EACH_TIME} && $there < ${TOGETHER}) { start($name); $started++; $there++ }
      else { wait; $? == 0 or die "$name: $?"; $there-- }
    }
    push @{$took{$name}}, ${EACH_TIME} / (time - $began) if $round > 1;
  }
}
printf "%s %.1f\n", $_, median(@{$took{$_}}) for sort keys %took;
`;

/** Asks systemd the same by the library in the package and by busctl, in turn, and prints both medians in milliseconds. */
const QUESTIONS = `
const { createClient } = require("/usr/local/lib/node_modules/nixgate/dist/dbus-native.cjs");
const { promisify } = require("node:util");
const busctl = promisify(require("node:child_process").execFile);
const bus = createClient({ socket: "/run/systemd/private", direct: true });
const [destination, path, of] = ["org.freedesktop.systemd1", "/org/freedesktop/systemd1", "org.freedesktop.systemd1.Manager"];
const ask = {
  library: () => bus.invoke({ destination, path, interface: of, member: "GetUnit", signature: "s", body: ["init.scope"] }),
  busctl: () => busctl("busctl", ["call", destination, path, of, "GetUnit", "s", "init.scope"]),
};
const took = { library: [], busctl: [] };
(async () => {
  for (let round = -3; round < ${rounds}; round += 1)
    for (const by of Object.keys(ask)) {
      const began = performance.now();
      await ask[by]();
      if (round >= 0) took[by].push(performance.now() - began);
    }
  for (const [by, each] of Object.entries(took)) console.log(by, each.sort((a, b) => a - b)[each.length >> 1].toFixed(2));
  process.exit();
})();
`;

const POLICY = `
[[allow]]
request = ["true"]
run = ["/bin/true"]

[[allow]]
request = ["wait"]
run = ["/bin/sleep", "1000"]
`;

const LIMITS = [
  "cd /etc/nixgate",
  "sed -i 's/^max_concurrent = .*/max_concurrent = 2000/; s/^max_starts_per_minute = .*/max_starts_per_minute = 100000/; s/^TasksMax = 512/TasksMax = 5000/' policies/alpha.toml",
  "sed -i '/^client_gone_grace/d' policies/alpha.toml", // 2 s, as on any host: the guest's tests have less patience
  "sed -i 's/^.admission.$/&\\nmax_sessions = 5000/' nixgate.toml",
].join("; ");

const PSS = "awk '/^Pss:/ { print $2 }' /proc/$pid/smaps_rollup";
const SUPERVISOR_PSS = `pid=$(systemctl show nixgate.service -P MainPID); ${PSS}`;
const cpuOf = (...cgroups: string[]) =>
  `awk '/^usage_usec/ { sum += $2 } END { print sum }' ${cgroups.map((name) => `/sys/fs/cgroup/${name}/cpu.stat`).join(" ")}`;
const SUPERVISOR_CPU = cpuOf("system.slice/nixgate.service");
const OTHERS_CPU = cpuOf("init.scope", "system.slice/dbus.service", "system.slice/systemd-journald.service");
const WAIT = asSshd("nix-alpha", "SSH_ORIGINAL_COMMAND=wait exec /usr/local/bin/nixgate-shim alpha", waiting);
/** Their parent stays: to a shim it is the client. */
const IN_BACKGROUND = "cat >/tmp/wait.sh; setsid sh /tmp/wait.sh </dev/null >/dev/null 2>&1 &";
const ALL_WAIT = `timeout 300 sh -c 'until [ "$(pgrep -c -u nix-alpha -x sleep)" -ge ${waiting} ]; do sleep 1; done' && sleep 10`;
const SHIMS_PSS = `for pid in $(pgrep -u nix-alpha -f '^/bin/sh /usr/local/bin/nixgate-shim'); do ${PSS}; done | sort -n`;
const IDLE_SECONDS = 30;

const say = (line: string) => console.error(line);
const guest = await startGuest(
  { ...settings({ NAME: `bench-${process.pid}`, MANAGER: "system", MEM: "3072M" }), outlives: false },
  say,
);
const root = async (command: string, input = "") => {
  const [file, ...words] = sshCommand(guest, "root", [command]) as [string, ...string[]];
  return (await execa(file, words, { input })).stdout.trim();
};
const figures = async (command: string, program: string) => {
  const lines = (await root(command, program)).split("\n");
  return Object.fromEntries(lines.map((line) => line.split(" "))) as Record<string, string>;
};
const asAccount = (perl: string) => figures(`${PERL_AS_SSHD} -`, `${becomeConnection("nix-alpha")}\n${perl}`);
const number = async (command: string) => Number(await root(command));
const row = (what: string, figure: string) => console.log(`${what.padEnd(46)}${figure}`);

try {
  await root("cat >>/etc/nixgate/policies/alpha.toml", POLICY);
  await root(LIMITS);
  const fresh = await number(SUPERVISOR_PSS);

  const { shim, node, wrapper, shell } = await asAccount(TURNS);
  row("a session around /bin/true by its shim", `${shim} ms`);
  row("node -e 0", `${node} ms, ratio ${(Number(shim) / Number(node)).toFixed(2)}`);
  row("a plain shell wrapper", `${wrapper} ms, ratio ${(Number(shim) / Number(wrapper)).toFixed(1)}`);
  row("what a shim runs, with nobody to ask", `${shell} ms, ratio ${(Number(shim) / Number(shell)).toFixed(1)}`);

  const spent = async () => ({ supervisor: await number(SUPERVISOR_CPU), others: await number(OTHERS_CPU) });
  const idle = await spent();
  const crowds = await asAccount(CROWDS);
  const busy = await spent();
  const ofEach = (whose: "supervisor" | "others") =>
    `${((busy[whose] - idle[whose]) / 1000 / EACH_TIME / CROWDS_OF_EACH).toFixed(1)} ms`;
  const share = Number(crowds["shim"]) / Number(crowds["wrapper"]);
  row(`sessions started in a second, ${TOGETHER} at a time`, `${crowds["shim"]}`);
  row("of the wrapper", `${crowds["wrapper"]}, ratio ${share.toFixed(2)}`);
  row("what each takes of a CPU, the supervisor", ofEach("supervisor"));
  row("systemd, its bus and journald", ofEach("others"));

  const { library, busctl } = await figures("node -", QUESTIONS);
  row("a question to systemd over the connection", `${library} ms`);
  row("by busctl", `${busctl} ms, ratio ${(Number(busctl) / Number(library)).toFixed(1)}`);

  await root(IN_BACKGROUND, WAIT);
  await root(ALL_WAIT);
  const shims = (await root(SHIMS_PSS)).split("\n").map(Number);
  row(`a waiting session's shim, of ${shims.length}`, `${shims[shims.length >> 1]} KiB`);
  row("the supervisor when it has started", `${(fresh / 1024).toFixed(0)} MiB`);
  row("the supervisor with all of them", `${((await number(SUPERVISOR_PSS)) / 1024).toFixed(0)} MiB`);
  const before = await number(SUPERVISOR_CPU);
  await root(`sleep ${IDLE_SECONDS}`);
  const used = (await number(SUPERVISOR_CPU)) - before;
  row("its share of a CPU while they wait", `${(used / IDLE_SECONDS / 10_000).toFixed(1)} %`);
} finally {
  await stopGuest(guest.name);
}
