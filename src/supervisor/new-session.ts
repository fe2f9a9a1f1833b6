import { forcedOfShim } from "../session/forced-command.ts";
import type { SessionPorts } from "../session/ports.ts";
import { type RawEnvironment, toldBySshd } from "../session/requests/ssh-environment.ts";
import { answerToEnd } from "../session/shim-answers.ts";
import type { ShimSession } from "../session/supervise.ts";
import { accountOf, loginShellOf } from "../system/accounts/accounts.ts";
import { pamReadsHomeNow } from "../system/accounts/pam-environment.ts";
import { clock } from "../system/kernel/clock.ts";
import { newSessionId, ownMachine, stdinIsTerminal } from "../system/kernel/machine.ts";
import { showsInodes } from "../system/kernel/open-file.ts";
import { ptraceScope } from "../system/kernel/ptrace-scope.ts";
import { readUserAuth, USER_AUTH_MAX_BYTES } from "../system/session/user-auth.ts";
import type { TeamName } from "../units/ids.ts";
import { whyNoConnection } from "./connection.ts";
import type { Fifo } from "./fifos.ts";
import type { ServedShim } from "./served-shim.ts";
import { budgets } from "./shim/account-budgets.ts";
import { clientOfShim } from "./shim/shim-client.ts";
import type { ShimProcess } from "./shim/shim-process.ts";
import { requestsOfShim } from "./shim/shim-requests.ts";
import { scopesOfShim } from "./shim/shim-scopes.ts";
import type { Supervisor } from "./supervisor.ts";
import { waitingOf } from "./waiting-shims.ts";

/** No check here: the shim checks the program itself, as the account and where the command runs, see `answerToRun`. */
export const LOOKED_AT_BY_SHIM: SessionPorts["programs"] = { problemWith: () => undefined };

/**
 * Makes the session of a shim.
 * @param found the environment that sshd gave the shim, its member's name as the shim has it, and the milliseconds that
 * it waited for other sessions of its team
 */
export function newSessionOf(
  fifo: Fifo,
  guest: ServedShim,
  found: { readonly environment: RawEnvironment; readonly who: string | undefined; readonly delayed: number },
  supervisor: Supervisor,
): ShimSession {
  const { talk } = guest;
  const { shim } = talk;
  const { environment, who, delayed } = found;
  const { admission, records, version, program } = supervisor;
  const account = accountOf(fifo.uid);
  if (!account) throw new Error(`uid ${fifo.uid} has no account`);
  const arrived = { startedAt: clock.now(), arrivedAt: clock.monotonic(), delayed };
  const forced = forcedOfShim(fifo.name, who);
  const stranger = notBySshd(shim, fifo.uid);
  if (environment.has("SSH_USER_AUTH")) budgets.spend(fifo.uid, USER_AUTH_MAX_BYTES);
  return {
    hasRoom: talk.hasRoom,
    end: (status) => talk.finish((said) => answerToEnd(status, said)),
    standing: {
      notBySshd: stranger,
      shell: loginShellOf(fifo.uid) ?? "",
      pamReadsHome: pamReadsHomeNow(),
      ptraceScope: ptraceScope(),
      showsInodes: showsInodes(),
    },
    incoming: {
      ...{ forced, arrived, account },
      ...toldBySshd({
        environment,
        terminal: stdinIsTerminal(shim.pid),
        // a file that another process than sshd names is not read
        key: stranger === undefined ? readUserAuth(environment, fifo.uid) : undefined,
      }),
      machine: ownMachine(),
      process: { pid: shim.pid, startedTicks: shim.startedTicks, version },
      holder: "",
    },
    openPorts(grace): SessionPorts {
      const client = clientOfShim(talk, fifo, grace);
      const session = newSessionId(arrived.startedAt);
      const waiting = waitingOf(guest, fifo.name as TeamName, session, supervisor.manager);
      guest.client = client;
      guest.session = session;
      return {
        ...{ clock, admission, client },
        newSessionId: () => session,
        records: { ...records, flush: async () => 0 },
        requests: requestsOfShim(talk, waiting, program),
        programs: LOOKED_AT_BY_SHIM,
        scopes: scopesOfShim(guest, forced.member, waiting, supervisor),
        strays: async () => guest.watch?.end(),
        // `resumableSessions` ends them for all teams, once
        recovery: { begin: () => undefined, settled: async () => undefined },
      };
    },
  };
}

/** A parent that has ended may have left its pid to another process, so the shim must still have it as parent. */
function notBySshd(shim: ShimProcess, uid: number): string | undefined {
  const why = whyNoConnection(shim.parent, uid);
  return why ?? (shim.parentNow() === shim.parent ? undefined : "its parent is gone");
}
