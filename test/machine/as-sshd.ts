/**
 * A line of sh for root that starts processes of an account as sshd starts them for the channels of one connection: their
 * parent has the account's uid, cannot be traced, and is the child of a program of root's whose file is named
 * sshd-session. sshd itself would let a crowd in one after the other, and asks the bus for each.
 * @param command a line of sh without single quotes, which each of them is; they read nothing and write nowhere
 */
export function asSshd(account: string, command: string, count = 1): string {
  const program = "/run/as-sshd/sshd-session";
  const install = `[ -x ${program} ] || (mkdir -p /run/as-sshd && umask 022 && cp "$(readlink -f /usr/bin/perl)" ${program})`;
  return `${install} && cd / && ${program} -e '${CONNECTION}' ${account} ${count} '${command}' </dev/null >/dev/null 2>&1`;
}

/** sshd's own way: fork, setgid, setuid and no execve(2) in the process that stands for the connection. */
const CONNECTION = `
  my ($account, $count, $command) = @ARGV; my (undef, undef, $uid, $gid) = getpwnam $account or die;
  my $connection = fork // die;
  if (!$connection) {
    $) = "$gid $gid"; $( = $gid; ($<, $>) = ($uid, $uid);
    for (1 .. $count) { next if fork; exec "/bin/sh", "-c", $command }
    1 while wait != -1;
    exit;
  }
  waitpid $connection, 0;
`.replaceAll("\n", " ");
