import { ExitStatus } from "../../units/exit-status.ts";
import type { Configuration } from "../configuration.ts";
import type { SessionRefusal } from "../refusal.ts";

/**
 * Facts about a shim from the kernel and the host. They are checked before anything that the account says is believed.
 */
export interface Standing {
  /** Why the shim is not the process that sshd started for a connection; undefined where it is. */
  readonly notBySshd: string | undefined;
  /** The account's login shell, from passwd(5). */
  readonly shell: string;
  /**
   * Whether sshd's PAM reads variables from a file in the account's home. Such a variable can name a library to load.
   */
  readonly pamReadsHome: boolean;
  /** kernel.yama.ptrace_scope; undefined where the kernel has no Yama. */
  readonly ptraceScope: number | undefined;
  /** Whether the kernel tells the inodes of a shim's open files, by which its streams are known (Linux 5.14). */
  readonly showsInodes: boolean;
}

/**
 * Shells that read no file of the account before they run sshd's command. bash reads ~/.bashrc, zsh reads ~/.zshenv.
 */
const PLAIN_SHELL = /(?:^|\/)(?:sh|dash)$/;

export const isPlainShell = (shell: string): boolean => PLAIN_SHELL.test(shell);

/** Whether a command could trace other processes of its account (ptrace(2)), such as the shim that reports its end. */
export const mayTrace = (ptraceScope: number | undefined): boolean => ptraceScope === undefined || ptraceScope < 1;

/** The configuration, or a refusal where the facts about the shim do not allow the session. */
export function asItStands(configuration: Configuration, standing: Standing): Configuration {
  const refusal = objection(configuration, standing);
  return refusal === undefined ? configuration : { ...configuration, ok: false, refusal };
}

function objection(
  configuration: Configuration,
  { notBySshd, shell, pamReadsHome, ptraceScope, showsInodes }: Standing,
): SessionRefusal | undefined {
  if (notBySshd !== undefined)
    return { reason: "not-by-sshd", message: "sshd did not start this session", status: ExitStatus.denied };
  if (!configuration.ok) return undefined;
  if (!isPlainShell(shell)) {
    const message = "the account's login shell must be /bin/sh: other shells run files of the account first";
    return { reason: "policy-invalid", message, status: ExitStatus.config };
  }
  if (pamReadsHome) {
    const message = "sshd's PAM reads a file in the account's home: take user_readenv=1 from /etc/pam.d/sshd";
    return { reason: "policy-invalid", message, status: ExitStatus.config };
  }
  const { require, confine } = configuration.host.scope;
  if (confine && !showsInodes) {
    const message = "confine needs Linux 5.14 or newer: this kernel does not tell the inodes of a shim's streams";
    return { reason: "scope-unavailable", message, status: ExitStatus.unavailable };
  }
  if (!mayTrace(ptraceScope) || !(require || confine)) return undefined;
  const found = ptraceScope === undefined ? "does not exist" : `is ${ptraceScope}`;
  const message = `kernel.yama.ptrace_scope ${found}, so a command could take over its own session`;
  return { reason: "scope-unavailable", message, status: ExitStatus.unavailable };
}
