import { readdirSync, readlinkSync } from "node:fs";
import type { Client, Interruption } from "../../session/ports.ts";
import { asOwner, type Owner } from "../../system/accounts/as-owner.ts";
import { isStopped, stoppedTooLong } from "../../system/session/stopped-parent.ts";
import { type Fd, type Pid, toFd } from "../../units/ids.ts";
import type { Milliseconds } from "../../units/quantities.ts";
import { poll } from "../poll.ts";
import type { ShimChannel } from "./shim-channel.ts";
import type { ShimProcess } from "./shim-process.ts";
import { tellThrough } from "./shim-stderr.ts";

const STDOUT = toFd(1);

/** The client of a shim, with a way to end its session from outside. */
export interface ShimClient extends Client {
  end(by: Interruption): void;
}

/**
 * Finds out whether the client is connected from sshd's own descriptors. The other end of the shim's stdout is one of
 * them while the channel is open. sshd closes it with the channel, also if other sessions of the connection continue.
 * If code of the session stops sshd's process, it is continued.
 * @param owner the shim's account
 * @param grace `client_gone_grace`; the check runs twice within it
 */
export function clientOfShim(talk: ShimChannel, owner: Owner, grace: Milliseconds): ShimClient {
  const { shim } = talk;
  const latency = Math.min(1000, Math.max(50, grace / 2)) as Milliseconds;
  let known = channelOf(shim);
  // While a shell writes its line its stdout is the FIFO. When it is stopped its stdout is the client's again.
  if (!known && linkOf(shim.pid, STDOUT)?.endsWith("/requests"))
    void talk.still().then(() => {
      known = channelOf(shim);
    });
  // a shim that has ended has no parent either
  const isLost = stoppedTooLong(
    {
      // the shim still has this parent, so its pid has not been reused
      isStopped: () => isStopped(shim.parent) && shim.parentNow() === shim.parent,
      goOn: () => continueAs(owner, shim.parent),
    },
    grace,
  );
  const isGone = () => isLost() || isCut();
  const isCut = () =>
    known ? linkOf(shim.parent, known.end) !== known.pipe || !shim.isThere() : shim.parentNow() !== shim.parent;
  const watchers = new Set<(event: Interruption) => void>();
  let happened: Interruption | undefined;
  const happen = (event: Interruption) => {
    happened ??= event;
    for (const watcher of watchers) watcher(event);
  };
  return {
    latency,
    isGone,
    tell: talk.say,
    tellNow: (line) => tellThrough(shim, owner, line),
    answerStarted: talk.sayStarted,
    end: happen,
    watch(callback) {
      watchers.add(callback);
      const stop = poll(latency, () => {
        if (!isGone()) return;
        happen("client-gone");
        if (!shim.isThere()) talk.lost();
      });
      if (happened) callback(happened);
      return () => {
        stop();
        watchers.delete(callback);
      };
    },
  };
}

/** Signals with the account's own rights, so that a reused pid of another account is not signalled. */
function continueAs(owner: Owner, pid: Pid): void {
  try {
    asOwner(owner, () => process.kill(pid, "SIGCONT"));
  } catch {
    // it has ended, or does not belong to the account
  }
}

/** The pipe of a shim's stdout, and sshd's descriptor of its other end. */
function channelOf({ pid, parent }: ShimProcess): { readonly pipe: string; readonly end: Fd } | undefined {
  const pipe = linkOf(pid, STDOUT);
  const end = pipe?.startsWith("pipe:") ? otherEnd(parent, pipe) : undefined;
  return pipe === undefined || end === undefined ? undefined : { pipe, end };
}

function linkOf(pid: Pid, descriptor: Fd): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/fd/${descriptor}`);
  } catch {
    return undefined; // closed, or the process has ended
  }
}

function otherEnd(pid: Pid, pipe: string): Fd | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`)
      .map(Number)
      .map(toFd)
      .find((descriptor) => linkOf(pid, descriptor) === pipe);
  } catch {
    return undefined;
  }
}
