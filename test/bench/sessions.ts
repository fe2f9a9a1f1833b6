// npm run bench:sessions [-- --rounds N]: what sessions cost under manager = "system", in a guest of the test
// machine that is set up that way. A whole session around /bin/true through nixgate-front, `node -e 0` and a plain shell
// wrapper take turns, so that a busy machine slows all three; medians. User-Mode Linux has one CPU, dear page faults and ticks
// of 10 ms: the ratios say something, the milliseconds do not.
import { parseArgs } from "node:util";
import { execa } from "execa";
import { startGuest, stopGuest } from "../machine/guest.ts";
import { settings } from "../machine/settings.ts";
import { sshCommand } from "../machine/talk.ts";

const { values } = parseArgs({ options: { rounds: { type: "string" } } });
const rounds = Number(values.rounds ?? 31);

/** Times three commands in turn, as the account, and prints the median of each in milliseconds. */
const TURNS = `
use Time::HiRes qw(time); use POSIX qw(dup2);
my %what = (front => ["/usr/bin/nixgate-front", "alpha"], node => ["node", "-e", "0"],
  wrapper => ["/bin/sh", "-c", 'case $SSH_ORIGINAL_COMMAND in true) exec /bin/true ;; *) exit 1 ;; esac']);
$ENV{SSH_ORIGINAL_COMMAND} = "true";
my %took;
for my $round (0 .. ROUNDS + 2) {
  for my $name (sort keys %what) {
    my $began = time;
    my $pid = fork // die; if (!$pid) { open STDIN, "</dev/null"; open STDOUT, ">/dev/null"; exec @{$what{$name}} }
    waitpid $pid, 0; $? == 0 or die "$name: $?";
    push @{$took{$name}}, time - $began if $round > 2;
  }
}
for (sort keys %took) { my @sorted = sort { $a <=> $b } @{$took{$_}}; printf "%s %.2f\\n", $_, 1000 * $sorted[@sorted / 2] }
`;

const POLICY = `
[[allow]]
request = ["true"]
run = ["/bin/true"]
`;

const say = (line: string) => console.error(line);
const guest = await startGuest(
  { ...settings({ NAME: `bench-${process.pid}`, MANAGER: "system", MEM: "3072M" }), outlives: false },
  say,
);
const root = async (command: string, input = "") => {
  const [file, ...words] = sshCommand(guest, "root", [command]) as [string, ...string[]];
  return (await execa(file, words, { input })).stdout.trim();
};

try {
  await root("cat >>/etc/nixgate/policies/alpha.toml", POLICY);
  await root(
    `sed -i 's/^max_concurrent = .*/max_concurrent = 2000/; s/^max_starts_per_minute = .*/max_starts_per_minute = 100000/; s/^TasksMax = 512/TasksMax = 5000/' /etc/nixgate/policies/alpha.toml; sed -i 's/^.admission.$/&\\nmax_sessions = 5000/' /etc/nixgate/nixgate.toml`,
  );
  const turns = await root("runuser -u nix-alpha -- perl -", TURNS.replace("ROUNDS", String(rounds)));
  const median = Object.fromEntries(turns.split("\n").map((line) => line.split(" "))) as Record<string, string>;
  const front = Number(median["front"]);
  console.log(`a session around /bin/true by its front   ${median["front"]} ms`);
  console.log(
    `node -e 0                                 ${median["node"]} ms, ratio ${(front / Number(median["node"])).toFixed(2)}`,
  );
  console.log(
    `a plain shell wrapper                     ${median["wrapper"]} ms, ratio ${(front / Number(median["wrapper"])).toFixed(1)}`,
  );
} finally {
  await stopGuest(guest.name);
}
