import type { RenderedFile } from "./slices.ts";
import { unit } from "./unit-file.ts";

/**
 * Where ptrace_scope is 0, each process of an account may change the memory of all its others (ptrace(2)). A command
 * could then take over the shim that reports its end, so the supervisor serves no session.
 */
export const NO_TRACING: RenderedFile = {
  path: "/etc/sysctl.d/50-nixgate.conf",
  text: `# A process may trace its own descendants and nothing else (Yama): a command cannot take over the nixgate-shim of its
# session. 2 and 3 forbid more, and serve as well; a file that sets them must sort behind this one.
kernel.yama.ptrace_scope = 1
`,
};

/**
 * The account's own manager is disabled, because a command could use it to leave its limits. systemd moves a process
 * from one unit to another on request of the owner of both, where that is delegated (AttachProcessesToUnit of
 * org.freedesktop.systemd1(5)). user@UID.service belongs to the account and is delegated by default. A command could
 * move there, or ask its account's manager for a scope without limits.
 */
export function noManager(account: string, uid: number): RenderedFile {
  return unit(
    `user@${uid}.service.d/50-nixgate.conf`,
    `# ${account} gets no systemd of its own: its commands could have it make a scope without limits, and move there.
# What logind asks for is there and does nothing. It must not be missing or fail: where the account lingers,
# systemd-logind of Debian 12 would ask for its state without end. It is not delegated: systemd would move any process of
# ${account} into it that asks, out of its limits.
[Service]
Delegate=no
Type=oneshot
RemainAfterExit=yes
PAMName=
ExecStart=
# as root: the supervisor ends what the account runs outside of its sessions
ExecStart=+/bin/sh -c :
`,
  );
}
