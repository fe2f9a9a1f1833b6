import type { Environment } from "../policy.ts";
import { errorAt, type KeyPath, type PolicyFinding } from "../problem.ts";

/** The variables that nixgate sets for every command (docs/configuration.md). */
const OWN = new Set([
  "HOME",
  "USER",
  "LOGNAME",
  "PATH",
  "SHELL",
  "LANG",
  "XDG_RUNTIME_DIR",
  "DBUS_SESSION_BUS_ADDRESS",
]);
/**
 * Variables that make a program run other code before its own: ld.so(8), bash(1), Node's and glibc's options. Also
 * variables that sshd and systemd set for a process, which a policy must not imitate.
 */
const DANGEROUS =
  /^(?:LD_.*|DYLD_.*|NODE_.*|BASH_ENV|BASH_FUNC.*|ENV|SHELLOPTS|BASHOPTS|IFS|PS4|GLIBC_TUNABLES|GCONV_PATH|PYTHON.*|PERL5.*|SSH_.*|LISTEN_.*|NOTIFY_SOCKET|INVOCATION_ID|SYSTEMD_.*)$/;

/** The problem of each variable that a policy must not set for a command. */
export function environmentFindings(environment: Environment, at: KeyPath): readonly PolicyFinding[] {
  return Object.keys(environment).flatMap((name): readonly PolicyFinding[] => {
    const here = [...at, name];
    if (!/^[A-Za-z_][A-Za-z0-9_]*$/.test(name))
      return [errorAt(here, "is not a variable's name", "write letters, digits and _ only, and no digit first")];
    if (OWN.has(name)) return [errorAt(here, "is set by nixgate itself", "remove it")];
    return DANGEROUS.test(name)
      ? [errorAt(here, "can make a program run other code, or is set by sshd or systemd", "remove it")]
      : [];
  });
}
