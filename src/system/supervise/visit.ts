import { answerToEnd } from "../../session/front-answers.ts";
import type { SessionPorts } from "../../session/ports.ts";
import type { RawEnvironment } from "../../session/ssh-environment.ts";
import type { Visit } from "../../session/supervise.ts";
import type { TeamName } from "../../units/ids.ts";
import { accountOf, loginShellOf } from "../accounts.ts";
import { clock } from "../clock.ts";
import { newSessionId, ownMachine, stdinIsTerminal } from "../machine.ts";
import { pamReadsHomeNow } from "../pam-environment.ts";
import { ptraceScope } from "../ptrace-scope.ts";
import { readUserAuth } from "../user-auth.ts";
import { whyNoConnection } from "./connection.ts";
import type { Fifo } from "./fifos.ts";
import type { Front } from "./front.ts";
import { clientOfFront } from "./front-client.ts";
import { requestsOfFront } from "./front-requests.ts";
import { scopesOfFront } from "./front-scopes.ts";
import type { Guest } from "./reception.ts";
import type { Supervisor } from "./supervisor.ts";
import { waitingOf } from "./waiting.ts";

/** The front looks itself, as the account and where it runs the command: see `answerToRun`. */
export const LOOKED_AT_BY_FRONT: SessionPorts["programs"] = { problemWith: () => undefined };

/**
 * A front as the story of a session sees it.
 * @param found what sshd said to the front, and how many milliseconds it had to wait for others of its team
 */
export function visitOf(
  fifo: Fifo,
  guest: Guest,
  found: { readonly environment: RawEnvironment; readonly delayed: number },
  supervisor: Supervisor,
): Visit {
  const { talk } = guest;
  const { front } = talk;
  const { environment, delayed } = found;
  const { admission, records, version, program } = supervisor;
  const [, member] = front.words();
  const account = accountOf(fifo.uid);
  if (!account) throw new Error(`uid ${fifo.uid} has no account`);
  const arrived = { startedAt: clock.now(), arrivedAt: clock.monotonic() };
  const named = { team: fifo.name, member: member === "" ? undefined : member };
  return {
    named,
    hasRoom: talk.hasRoom,
    end: (status) => talk.finish((said) => answerToEnd(status, said)),
    standing: {
      notBySshd: notBySshd(front, fifo.uid),
      shell: loginShellOf(fifo.uid) ?? "",
      pamReadsHome: pamReadsHomeNow(),
      ptraceScope: ptraceScope(),
    },
    visitor: {
      arrived,
      machine: ownMachine(),
      process: { pid: front.pid, startedTicks: front.startedTicks, version },
      account,
      holder: "",
      environment,
      delayed,
      terminal: stdinIsTerminal(front.pid),
      key: readUserAuth(environment, fifo.uid),
      open(grace): SessionPorts {
        const client = clientOfFront(talk, fifo, grace);
        const session = newSessionId(arrived.startedAt);
        const waiting = waitingOf(guest, fifo.name as TeamName, session, supervisor.manager);
        guest.client = client;
        guest.session = session;
        return {
          ...{ clock, admission, client },
          newSessionId: () => session,
          records: { ...records, flush: async () => 0 },
          requests: requestsOfFront(talk, waiting, program),
          programs: LOOKED_AT_BY_FRONT,
          scopes: scopesOfFront(guest, named.member, waiting, supervisor),
          strays: async () => guest.watch?.end(),
          // `returnsOf` does it for all, once
          recovery: { begin: () => undefined, settled: async () => undefined },
        };
      },
    },
  };
}

/** A parent that is gone may have left its number to another process: the front must have it still. */
function notBySshd(front: Front, uid: number): string | undefined {
  const why = whyNoConnection(front.parent, uid);
  return why ?? (front.parentNow() === front.parent ? undefined : "its parent is gone");
}
