import { answerToEnd } from "../../session/front-answers.ts";
import type { SessionPorts } from "../../session/ports.ts";
import type { RawEnvironment } from "../../session/ssh-environment.ts";
import type { Visit } from "../../session/supervise.ts";
import { accountOf } from "../accounts.ts";
import { clock } from "../clock.ts";
import { newSessionId, ownMachine, stdinIsTerminal } from "../machine.ts";
import { readUserAuth } from "../user-auth.ts";
import type { Fifo } from "./fifos.ts";
import { clientOfFront } from "./front-client.ts";
import { requestsOfFront } from "./front-requests.ts";
import { scopesOfFront } from "./front-scopes.ts";
import type { Guest } from "./reception.ts";
import type { Supervisor } from "./supervisor.ts";

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
  const named = { team: fifo.name, member: member === "" ? undefined : member };
  return {
    named,
    hasRoom: talk.hasRoom,
    end: (status) => talk.finish((said) => answerToEnd(status, said)),
    visitor: {
      arrived: { startedAt: clock.now(), arrivedAt: clock.monotonic() },
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
        guest.client = client;
        return {
          ...{ clock, newSessionId, admission, client },
          records: { ...records, flush: async () => 0 },
          requests: requestsOfFront(talk, program),
          programs: LOOKED_AT_BY_FRONT,
          scopes: scopesOfFront(talk, fifo, named.member, supervisor),
          // `returnsOf` does it for all, once
          recovery: { begin: () => undefined, settled: async () => undefined },
        };
      },
    },
  };
}
