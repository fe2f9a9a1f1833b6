import { readdirSync, readlinkSync } from "node:fs";
import type { Client, Interruption } from "../../session/ports.ts";
import type { Milliseconds } from "../../units/quantities.ts";
import type { Owner } from "../as-owner.ts";
import type { Front } from "./front.ts";
import { tellThrough } from "./front-stderr.ts";
import { inRounds } from "./rounds.ts";
import type { Talk } from "./talk.ts";

const STDOUT = 1;

/** The client of a front, with a way to end its session from outside. */
export interface FrontClient extends Client {
  end(by: Interruption): void;
}

/**
 * Whether a client is there is read from sshd's own descriptors: the other end of the front's stdout is one of them as
 * long as the channel is open, and gone with it, also where other sessions go on over the same connection.
 * @param owner the front's account
 * @param grace `client_gone_grace`: the client is looked for twice within it
 */
export function clientOfFront(talk: Talk, owner: Owner, grace: Milliseconds): FrontClient {
  const { front } = talk;
  const latency = Math.min(1000, Math.max(50, grace / 2)) as Milliseconds;
  let known = channelOf(front);
  // While a shell writes its line its stdout is the FIFO; when it stands still it is the client's again.
  if (!known && linkOf(front.pid, STDOUT)?.endsWith("/requests"))
    void talk.still().then(() => {
      known = channelOf(front);
    });
  // a front that is gone has no parent either
  const isGone = () =>
    known ? linkOf(front.parent, known.end) !== known.pipe || !front.isThere() : front.parentNow() !== front.parent;
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
    tellNow: (line) => tellThrough(front, owner, line),
    answerStarted: talk.sayStarted,
    end: happen,
    watch(callback) {
      watchers.add(callback);
      const stop = inRounds(latency, () => {
        if (!isGone()) return;
        happen("client-gone");
        if (!front.isThere()) talk.lost();
      });
      if (happened) callback(happened);
      return () => {
        stop();
        watchers.delete(callback);
      };
    },
  };
}

/** The pipe behind a front's stdout, and sshd's descriptor of its other end. */
function channelOf({ pid, parent }: Front): { readonly pipe: string; readonly end: number } | undefined {
  const pipe = linkOf(pid, STDOUT);
  const end = pipe?.startsWith("pipe:") ? otherEnd(parent, pipe) : undefined;
  return pipe === undefined || end === undefined ? undefined : { pipe, end };
}

function linkOf(pid: number, descriptor: number): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/fd/${descriptor}`);
  } catch {
    return undefined; // closed, or the process is gone
  }
}

function otherEnd(pid: number, pipe: string): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`)
      .map(Number)
      .find((descriptor) => linkOf(pid, descriptor) === pipe);
  } catch {
    return undefined;
  }
}
