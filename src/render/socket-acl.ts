import type { RenderedFile } from "./slices.ts";

export const SOCKET_ACL = "/etc/tmpfiles.d/nixgate.conf";

/**
 * Of a service: has the list set. `+` is root without the service's sandbox, and `-` goes on where it fails. Sockets that come
 * after systemd-tmpfiles-setup.service have none before, and those that systemd 258 and later make anew at daemon-reexec.
 */
export const CLOSES_SOCKETS = `ExecStartPre=-+systemd-tmpfiles --create ${SOCKET_ACL}`;

/**
 * PID 1 answers any account on these, besides the bus: enough datagrams or calls keep it from making scopes. The folders
 * are closed, since a socket in them may be made anew; the others lie where accounts need other things.
 */
const CLOSED = [
  "/run/systemd/notify",
  "/run/systemd/userdb",
  "/run/systemd/report",
  "/run/systemd/io.system*", // Debian 12 has io.system.ManagedOOM
  "/run/ssh-unix-local",
] as const;

/**
 * An access control list, acl(5), that closes the sockets of PID 1 to the teams' accounts.
 * @param uids numbers, so that no account is looked up while the host boots
 */
export function socketAcl(uids: readonly number[]): RenderedFile {
  return {
    path: SOCKET_ACL,
    text: `# systemd answers any account on these sockets (sd_notify(3), varlink), and sessions of all teams wait while it does.
# Commands of teams need none of them.
${linesFor(uids)}`,
  };
}

/** For tmpfiles.d(5): opens them to all accounts again. A user manager of an account could not say that it is ready. */
export const OPENS_SOCKETS = linesFor([]);

/** Each line replaces the list of before. The entry for root, who owns them all, changes nothing: a list must have one. */
function linesFor(uids: readonly number[]): string {
  const entries = [0, ...uids].map((uid) => `u:${uid}:---`).join(",");
  return CLOSED.map((path) => `a ${path} - - - - ${entries}\n`).join("");
}
