import type { Plan } from "../scope/plan.ts";
import { ExitStatus } from "../units/exit-status.ts";
import { shellWord } from "../units/text.ts";
import type { LineBounds } from "./ports.ts";

/** The output that a shim writes to the client's streams before it carries out its answer. */
export interface Said {
  /** Lines for stderr, without their newlines. */
  readonly told: readonly string[];
  /** How many times `started` goes to stdout. */
  readonly started: number;
}

/**
 * A client that does not read is waited for one second: its pipe may be full, and sh cannot write without blocking.
 * Both shells wait for the processes that they end, so that no zombie is left to the host's first process.
 */
const TIMER = `(trap 'kill $!; wait; exit' TERM; sleep 1 & wait $!; kill "$talker") </dev/null >/dev/null 3>&- &`;

function spoken({ told, started }: Said): string {
  const answers = "echo started\n".repeat(started);
  if (told.length === 0) return answers;
  const talker = `(printf '%s\\n' ${told.map(shellWord).join(" ")} >&3) & talker=$!`;
  return `${answers}${talker}\n${TIMER} timer=$!\nwait "$talker"; kill "$timer"; wait "$timer"\n`;
}

/**
 * The shim writes its lines and runs the command as its child, with the plan's environment and with fds 0 to 2 as sshd
 * made them. bin/nixgate-shim keeps the client's stderr as fd 3. The command runs in a subshell: for a plain command,
 * dash redirects its own stderr and would tell the client about a killed command.
 *
 * The shim checks the program before the command, and again where the status is that of a failed execve(2). It does so
 * as the account, in the command's own sandbox, with builtins of the shell. `status` is reported to the supervisor. The
 * last status is the same, for a shim that an older nixgate started.
 */
export function answerToRun({ argv: [program], commandLine }: Plan, said: Said): string {
  const run = `(exec ${commandLine.map(shellWord).join(" ")} 2>&3 3>&-)`;
  return `${spoken(said)}program=${shellWord(program)}
look() {
  status=
  if [ -f "$program" ] && [ -x "$program" ]; then return
  elif [ -d "$program" ]; then status=902
  elif [ -e "$program" ]; then status=903
  elif [ -L "$program" ]; then status=904
  else status=901
  fi
}
look
[ -z "$status" ] || return "$status"
${run}
status=$?
case $status in 126 | 127)
  own=$status
  look
  if [ -n "$status" ]; then return "$status"; fi
  status=$own
  command -v setpriv >/dev/null || status=906
  read -r first rest <"$program"
  case $first in
    "#!") interpreter=\${rest%%[ 	]*} ;;
    "#!"*) interpreter=\${first#??} ;;
    *) interpreter=/ ;;
  esac
  [ -x "$interpreter" ] || status=905
  ;;
esac
return "$status"
`;
}

/** The results of the shim's check of the program. No process can end with these statuses. */
const LOOKS: ReadonlyMap<number, string> = new Map([
  [901, "does not exist, or cannot be reached by the account"],
  [902, "is a folder"],
  [903, "cannot be executed by the account"],
  [904, "is a link to a missing file"],
  [905, "needs an interpreter that is missing"],
  [906, "needs setpriv(1) of util-linux, which is missing"],
]);

/** The reason why the program was not executed, for a status of `answerToRun`. It continues the program's path. */
export const lookOfShim = (status: number): string | undefined => LOOKS.get(status);

/**
 * The shim writes its lines and asks for its next answer. Its status means "try again": if the supervisor is gone by
 * then, the next supervisor sees that this is no new client.
 */
export function answerToWait(said: Said): string {
  return `${spoken(said)}(exit ${ExitStatus.busy})\n`;
}

/** The shim writes its lines and exits with the status. */
export function answerToEnd(status: number, said: Said): string {
  return `${spoken(said)}exit ${status}\n`;
}

/**
 * The shim becomes `nixgate read-request`, which reads one line and becomes a shim again. fd 3 remains the client's
 * stderr for the supervisor.
 */
export function answerToRead(
  program: string,
  shim: readonly string[],
  { maxBytes, timeout, greeting }: LineBounds,
  said: Said,
): string {
  const greeted = greeting === undefined ? [] : [greeting];
  const words = [program, "read-request", String(maxBytes), String(timeout), ...shim, ...greeted];
  return `${spoken(said)}exec ${words.map(shellWord).join(" ")} 2>&3\n`;
}
