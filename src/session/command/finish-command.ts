import { causeOf, causeWithBuilds } from "../../ending/cause.ts";
import type { Ending, Exit } from "../../ending/ending.ts";
import { survivorWords, wordsForClient } from "../../ending/words.ts";
import type { Milliseconds } from "../../units/quantities.ts";
import { wordsOfStop } from "../locked.ts";
import { refusalLine, tellClient } from "../outcome.ts";
import type { ProgramProblem } from "../ports.ts";
import { commandEndRecord } from "../records-of.ts";
import { limitOf, limitWords, whoseLimits } from "./limit-words.ts";
import { problemWith, type RunningCommand, type RunningSession } from "./running-command.ts";
import { type Announce, GIVES_UP_AFTER, watchCommand } from "./watch-command.ts";

/** Runs the command in its scope to its end, records its ending and tells the client why it was stopped. */
export async function finishCommand(session: RunningSession, command: RunningCommand): Promise<Ending> {
  const { n, scope, terms } = command;
  let isTold = false;
  const sayNow = (words: string) => {
    const line = refusalLine(words, session);
    isTold = session.ports.client.tellNow(terms.argv.includes("--stdio") ? `${line}\n${forBuildHook(line)}` : line);
    return isTold;
  };
  const announce: Announce = (why) => sayNow(wordsOfStop(session, why, limitWords(terms)));
  // A client of Nix's hangs up when its build has failed, so it is told before.
  const unwatch = scope.onLimit?.((limit) => {
    const whose = whoseLimits({ usage: scope.usage(), limitEvents: scope.limitEvents() }, terms);
    sayNow(wordsForClient(limit, limitWords(terms), whose, undefined) ?? limit);
  });
  const ending = await endingOf(session, command, announce).finally(unwatch);
  const words = isTold || ending.cause === "client-gone" ? undefined : wordsOfEnding(session, command, ending);
  // Such a shim is killed with its scope: it waits for a command that nothing ends, and cannot write these lines later.
  const stays = ending.survivors.length > 0;
  if (stays) for (const line of [words, survivorsLeft(session, ending)]) if (line) tellAtOnce(session, line);
  void scope.release();
  session.log.write(commandEndRecord(n, ending, limitOf(ending, terms)));
  if (words && !stays) tellClient(session, words);
  return ending;
}

/** Begins the command. The promise settles when only the holder, or processes that cannot be ended, are left. */
async function endingOf(session: RunningSession, command: RunningCommand, announce: Announce): Promise<Ending> {
  const { scope, terms } = command;
  const { clock, programs } = session.ports;
  const began = scope.begunAt ?? clock.monotonic();
  let wall: number | undefined;
  scope.exited.then(() => {
    wall = clock.monotonic() - began;
  });
  const { stopped, exit: seen, ...watched } = await watchCommand(session, command, announce);
  const exit = seen && executedOrNot(seen, () => problemWith(terms, { programs }));
  // Without a cgroup, a process may have left unseen: then 0 found processes do not prove that none was left.
  const seenAll = scope.isolation !== "process" || watched.leftovers > 0;
  const usage = scope.usage();
  const limitEvents = scope.limitEvents();
  return {
    ...watched,
    leftovers: seenAll ? watched.leftovers : undefined,
    exit,
    cause:
      terms.buildsBoundedBy === "host"
        ? causeOf(exit, usage, stopped, limitEvents)
        : causeWithBuilds(exit, usage, stopped, limitEvents),
    wallMs: Math.round(wall ?? clock.monotonic() - began) as Milliseconds,
    usage,
    limitEvents,
  };
}

/** The exit statuses of a shell, setpriv(1) and prlimit(1) when execve(2) fails (XCU 2.8.2). */
const CANNOT_EXECUTE: ReadonlySet<number | undefined> = new Set([126, 127]);

/**
 * The program may have vanished between the check and execve(2). A command may also exit with such a status by itself.
 */
function executedOrNot(exit: Exit, problem: () => ProgramProblem | undefined): Exit {
  if (exit.signal !== undefined || exit.notExecuted !== undefined || !CANNOT_EXECUTE.has(exit.code)) return exit;
  const wrong = problem();
  return wrong === undefined || wrong.temporary ? exit : { ...exit, notExecuted: wrong.message };
}

function wordsOfEnding(session: RunningSession, { terms }: RunningCommand, ending: Ending): string | undefined {
  const { cause, exit } = ending;
  const limits = limitWords(terms);
  return cause === "killed-by-admin"
    ? wordsOfStop(session, cause, limits)
    : wordsForClient(cause, limits, whoseLimits(ending, terms), exit);
}

/**
 * Repeats the line in the log format of Nix's own programs. Over ssh-ng, a client's build hook forwards no other stderr
 * (DerivationGoal::handleChildOutput() of Nix 2.8 to 2.26). Spaces are escaped, so that a search of a log finds the
 * line once.
 */
function forBuildHook(line: string): string {
  const text = JSON.stringify(line).replaceAll(" ", "\\u0020");
  return `@nix {"action":"msg","level":0,"msg":${text}}`;
}

/** Tells the administrator all known details of the processes that are still alive. @returns the words for the client */
function survivorsLeft(session: RunningSession, { survivors }: Ending): string {
  const seconds = GIVES_UP_AFTER / 1000;
  session.log.tellJournal(`still alive ${seconds} s after SIGKILL: ${survivors.map(survivorWords).join(", ")}`);
  const count = survivors.length === 1 ? "1 process" : `${survivors.length} processes`;
  return `${count} of the command could not be ended`;
}

function tellAtOnce(session: RunningSession, message: string): void {
  const { client } = session.ports;
  const line = refusalLine(message, session);
  if (!client.tellNow(line)) client.tell(line);
}
