import { ExitStatus } from "../../units/exit-status.ts";
import type { Configuration, SessionRefusal } from "../arrival.ts";

/** What the kernel and the host say of a shim before anything is believed that the account says. */
export interface Standing {
  /** Why it is not the process that sshd started for a connection; undefined where it is. */
  readonly notBySshd: string | undefined;
  /** The account's login shell, from passwd(5). */
  readonly shell: string;
  /** Whether sshd's PAM takes variables from a file in the account's home, such as one that names a library to load. */
  readonly pamReadsHome: boolean;
  /** kernel.yama.ptrace_scope; undefined where the kernel has no Yama. */
  readonly ptraceScope: number | undefined;
}

/** Shells that read no file of the account's in front of sshd's command; bash reads ~/.bashrc, zsh ~/.zshenv. */
const PLAIN_SHELL = /(?:^|\/)(?:sh|dash)$/;

export const isPlainShell = (shell: string): boolean => PLAIN_SHELL.test(shell);

/** Whether a command could take over other processes of its account, as the shim that reports its end (ptrace(2)). */
export const mayTrace = (ptraceScope: number | undefined): boolean => ptraceScope === undefined || ptraceScope < 1;

/** A configuration under which a session is served, or why not where it stands. */
export function asItStands(configuration: Configuration, standing: Standing): Configuration {
  const refusal = objection(configuration, standing);
  return refusal === undefined ? configuration : { ...configuration, ok: false, refusal };
}

function objection(
  configuration: Configuration,
  { notBySshd, shell, pamReadsHome, ptraceScope }: Standing,
): SessionRefusal | undefined {
  if (notBySshd !== undefined)
    return { reason: "not-by-sshd", message: "sshd did not start this session", status: ExitStatus.denied };
  if (!configuration.ok) return undefined;
  if (!isPlainShell(shell)) {
    const message = "the account's login shell must be /bin/sh: others run what is in the account's files first";
    return { reason: "policy-invalid", message, status: ExitStatus.config };
  }
  if (pamReadsHome) {
    const message = "sshd's PAM reads a file in the account's home: take user_readenv=1 from /etc/pam.d/sshd";
    return { reason: "policy-invalid", message, status: ExitStatus.config };
  }
  const { require, confine } = configuration.host.scope;
  if (!mayTrace(ptraceScope) || !(require || confine)) return undefined;
  const found = ptraceScope === undefined ? "is not there" : `is ${ptraceScope}`;
  const message = `kernel.yama.ptrace_scope ${found}, so a command could take over its own session`;
  return { reason: "scope-unavailable", message, status: ExitStatus.unavailable };
}
