const PROGRAM = "/run/as-sshd/sshd-session";

/**
 * The start of a line of sh for root that runs a program of perl(1) in a file named sshd-session. What it starts after
 * `becomeConnection` has the parent that sshd would give it. sshd itself would let a crowd in one after the other.
 */
export const PERL_AS_SSHD = `([ -x ${PROGRAM} ] || (mkdir -p /run/as-sshd && umask 022 && cp "$(readlink -f /usr/bin/perl)" ${PROGRAM})) && cd / && ${PROGRAM}`;

/**
 * What sshd does for a connection, in perl: fork, and give up root without execve(2). The process is called as-sshd, has the
 * account's uid and cannot be traced; its own parent stays root's, and ends with its status.
 */
export const becomeConnection = (account: string): string =>
  `use POSIX (); my (undef, undef, $uid, $gid) = getpwnam "${account}" or die; my $connection = fork // die;
  if ($connection) { waitpid $connection, 0; exit($? >> 8 || $?) }
  $) = "$gid $gid"; POSIX::setgid($gid); POSIX::setuid($uid); $0 = "as-sshd";`.replaceAll("\n", " ");

/**
 * A line of sh for root that starts processes of an account as sshd starts them for the channels of one connection.
 * @param command a line of sh without single quotes, which each of them is; they read nothing and write nowhere
 * @returns its status is that of one of them that failed, or 0
 */
export function asSshd(account: string, command: string, count = 1): string {
  const start = `my ($count, $command) = @ARGV; for (1 .. $count) { next if fork; exec "/bin/sh", "-c", $command }`;
  const end = "my $status = 0; while (wait != -1) { $status = $? >> 8 || 128 + $? if $? } exit $status";
  return `${PERL_AS_SSHD} -e '${becomeConnection(account)} ${start} ${end}' ${count} '${command}' </dev/null >/dev/null 2>&1`;
}
