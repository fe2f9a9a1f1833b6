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
 * An access control list, acl(5), that closes the sockets of PID 1 to the teams' accounts. The entries are added (`a+`): a list
 * that replaced all of them would empty its mask, and the kernel passes over a list without one (acl_permission_check()).
 * @param uids numbers, so that no account is looked up while the host boots
 */
export function socketAcl(uids: readonly number[]): RenderedFile {
  const denied = uids.map((uid) => `u:${uid}:---`).join(",");
  const lines = denied === "" ? [] : CLOSED.map((path) => `a+ ${path} - - - - ${denied}\n`);
  return {
    path: SOCKET_ACL,
    text: `# systemd answers any account on these sockets (sd_notify(3), varlink), and sessions of all teams wait while it does.
# Commands of teams need none of them.
${lines.join("")}`,
  };
}

/**
 * Lines of tmpfiles.d(5) by which accounts that have no team any more can have a user manager again: it says over the first
 * that it is ready. The rest stays closed to them until the next boot.
 * @param before the list of before
 * @param now the one in its place; "" where none is
 */
export function reopened(before: string, now: string): string {
  const uidsIn = (text: string) => new Set([...text.matchAll(/\bu:(\d+):---/g)].map(([, uid = ""]) => uid));
  const kept = uidsIn(now);
  const left = [...uidsIn(before)].filter((uid) => !kept.has(uid));
  const entries = (mode: string) => left.map((uid) => `u:${uid}:${mode}`).join(",");
  if (left.length === 0) return "";
  return `a+ /run/systemd/notify - - - - ${entries("rwx")}\na+ /run/systemd/userdb - - - - ${entries("r-x")}\n`;
}
