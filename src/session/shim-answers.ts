import type { Plan } from "../scope/plan.ts";
import { ExitStatus } from "../units/exit-status.ts";
import { shellWord } from "../units/text.ts";
import type { LineBounds } from "./ports.ts";

/** What a shim is to say before it does what it is told; on the client's own streams. */
export interface Said {
  /** Lines for stderr, without their newlines. */
  readonly told: readonly string[];
  /** How many times `started` goes to stdout. */
  readonly started: number;
}

/**
 * A client that does not read is waited for one second: its pipe may be full, and sh cannot write without blocking. Both
 * shells wait for what they end, so that no zombie is left for the host's first process to find.
 */
const TIMER = `(trap 'kill $!; wait; exit' TERM; sleep 1 & wait $!; kill "$talker") </dev/null >/dev/null 3>&- &`;

function spoken({ told, started }: Said): string {
  const answers = "echo started\n".repeat(started);
  if (told.length === 0) return answers;
  const talker = `(printf '%s\\n' ${told.map(shellWord).join(" ")} >&3) & talker=$!`;
  return `${answers}${talker}\n${TIMER} timer=$!\nwait "$talker"; kill "$timer"; wait "$timer"\n`;
}

/**
 * The shim says its lines and runs the command as its child, with the environment of the plan and fds 0 to 2 as sshd
 * made them: bin/nixgate-shim keeps the client's stderr as fd 3. In a subshell, because dash redirects its own stderr
 * for a plain command, and would tell the client what it thinks of one that was killed.
 *
 * The shim looks at the program first, and again where the status is that of a failed execve(2): as the account, in the
 * command's own sandbox, by builtins of the shell. `status` is what it tells the supervisor. The last status is the same,
 * for a shim that was started by an older nixgate.
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

/** Statuses that no process ends with, for what the shim's look at the program found. */
const LOOKS: ReadonlyMap<number, string> = new Map([
  [901, "is not there, or cannot be reached by the account"],
  [902, "is a folder"],
  [903, "cannot be executed by the account"],
  [904, "is a link to what is not there"],
  [905, "needs an interpreter that is not there"],
  [906, "needs setpriv(1) of util-linux, which is not there"],
]);

/** Why the program was never executed, where the status is one of `answerToRun`'s; it continues the program's path. */
export const lookOfShim = (status: number): string | undefined => LOOKS.get(status);

/**
 * The shim says its lines and asks for its next answer, with a status that means "try again": should its supervisor be
 * gone by then, the next one sees that it is no new client.
 */
export function answerToWait(said: Said): string {
  return `${spoken(said)}(exit ${ExitStatus.busy})\n`;
}

/** The shim says its lines and ends with the status. */
export function answerToEnd(status: number, said: Said): string {
  return `${spoken(said)}exit ${status}\n`;
}

/**
 * The shim becomes `nixgate read-request`, which reads one line and becomes a shim again. Meanwhile fd 3 stays the client's
 * stderr, for the supervisor.
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
