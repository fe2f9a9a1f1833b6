import type { RenderedFile } from "./slices.ts";
import { unit } from "./unit-file.ts";

/**
 * Where ptrace_scope is 0, each process of an account may change the memory of all its others (ptrace(2)). A command
 * could then take over the shim that reports its end, so the supervisor serves no session.
 */
export const NO_TRACING: RenderedFile = {
  path: "/etc/sysctl.d/50-nixgate.conf",
  text: `# A process may trace only its own descendants (Yama). A command can then not take over the nixgate-shim of its session. The
# values 2 and 3 forbid more and are allowed too. A file that sets them must come after this one in order of names.
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
    `# ${account} gets no systemd of its own. Its commands could ask that systemd for a scope without limits, and move there.
# The service exists for logind and does nothing. It must not be missing or fail: systemd-logind of Debian 12 would ask for its
# state without end while the account lingers. It is not delegated: systemd would move any process of ${account} into it
# on request, and so out of its limits.
[Service]
Delegate=no
Type=oneshot
RemainAfterExit=yes
PAMName=
ExecStart=
# as root, because the supervisor ends processes of the account outside of its sessions
ExecStart=+/bin/sh -c :
`,
  );
}
