import type { RenderedFile } from "./slices.ts";

export const SOCKET_ACL = "/etc/tmpfiles.d/nixgate.conf";

/**
 * The line of a service that sets the list. `+` runs it as root without the service's sandbox, and `-` ignores its failure. The
 * list is missing on sockets made after systemd-tmpfiles-setup.service, and on those that systemd 258 and later make anew at
 * daemon-reexec.
 */
export const CLOSES_SOCKETS = `ExecStartPre=-+systemd-tmpfiles --create ${SOCKET_ACL}`;

/**
 * PID 1 answers any account on these sockets, besides the bus. Enough datagrams or calls keep it from making scopes. A
 * whole folder is closed if accounts need nothing else in it, because sockets in it may be made anew.
 */
const CLOSED = [
  "/run/systemd/notify",
  "/run/systemd/userdb",
  "/run/systemd/report",
  "/run/systemd/io.system*", // Debian 12 has io.system.ManagedOOM
  "/run/ssh-unix-local",
  "/run/systemd/machine", // of systemd-machined(8), which makes delegated scopes for whom polkit allows it; up to systemd 257
  "/run/systemd/resolve.hook", // systemd-machined.socket of systemd 259 and later
  "/run/polkit", // each connection to its agent-helper.socket is a service that PID 1 starts (polkit 127)
] as const;

/**
 * Debian gives the folder of the Nix daemon's socket to the group nix-users, with the right to write (nix-daemon.conf of
 * tmpfiles.d(5)). Each account of that group could put a socket of its own in the place of the daemon's, and would then
 * get the connections of all teams. The mask takes the right to write from all but root. Members of the group still
 * enter.
 */
const DAEMON_FOLDER = "a+ /nix/var/nix/daemon-socket - - - - m::r-x\n";

/**
 * systemd-machined makes this folder when it starts, which may be after the list was set. It keeps a folder that is there.
 */
const MACHINE_FOLDER = "d /run/systemd/machine 0755 root root - -\n";

/**
 * Nix makes the folder at the first garbage collection. The daemons of bounded builds see it read-only, so it has to be
 * there before them.
 */
const GC_FOLDER = `# Daemons of bounded builds cannot write here, so their clients cannot collect garbage.
d /nix/var/nix/gc-socket 0755 root root - -
`;

/**
 * An access control list, acl(5), that closes the sockets of PID 1 to the teams' accounts. The entries are added (`a+`). A
 * list that replaced all entries would have an empty mask, and the kernel ignores a list without one (acl_permission_check()).
 * @param uids numbers, because no account can be looked up while the host boots
 * @param boundsBuilds whether a policy bounds builds
 */
export function socketAcl(uids: readonly number[], boundsBuilds = false): RenderedFile {
  const denied = uids.map((uid) => `u:${uid}:---`).join(",");
  const lines = denied === "" ? [] : CLOSED.map((path) => `a+ ${path} - - - - ${denied}\n`);
  return {
    path: SOCKET_ACL,
    text: `# systemd answers any account on these sockets (sd_notify(3), varlink), and sessions of all teams wait meanwhile.
# Commands of teams need none of these sockets.
${MACHINE_FOLDER}${lines.join("")}# Only root may put a socket in the place of the Nix daemon's.
${DAEMON_FOLDER}${boundsBuilds ? GC_FOLDER : ""}`,
  };
}

/**
 * Lines of tmpfiles.d(5) for accounts that have no team any more, so that they can have a user manager again. A user manager
 * reports over the first socket that it is ready. The other sockets stay closed until the next boot.
 * @param before the previous list
 * @param now the new list; "" if there is none
 */
export function reopened(before: string, now: string): string {
  const uidsIn = (text: string) => new Set([...text.matchAll(/\bu:(\d+):---/g)].map(([, uid = ""]) => uid));
  const kept = uidsIn(now);
  const left = [...uidsIn(before)].filter((uid) => !kept.has(uid));
  const entries = (mode: string) => left.map((uid) => `u:${uid}:${mode}`).join(",");
  if (left.length === 0) return "";
  return `a+ /run/systemd/notify - - - - ${entries("rwx")}\na+ /run/systemd/userdb - - - - ${entries("r-x")}\n`;
}
