import type { EndedBy, Exit, Forced, StopReason, Survivor } from "../../ending/ending.ts";
import type { SessionRules } from "../../policy/policy.ts";
import type { Pid } from "../../units/ids.ts";
import type { Milliseconds } from "../../units/quantities.ts";
import type { SessionPorts } from "../ports.ts";
import { type Event, follow, type State } from "./life-cycle.ts";
import type { RunningCommand } from "./running-command.ts";

/** The interval at which the scope is checked for remaining processes. */
const LOOK_AGAIN = 10 as Milliseconds;
/**
 * The time from the line for the client to SIGTERM. Nix's client hangs up as soon as the protocol ends
 * (NixOS/nix#11667), but the line reaches it separately, through sshd and ssh.
 */
const READS_WITHIN = 200 as Milliseconds;
/**
 * The time from SIGKILL to the end of waiting. A process that remains then waits in the kernel, or belongs to an
 * account that nixgate may not signal (kill(2)).
 */
export const GIVES_UP_AFTER = 10_000 as Milliseconds;

/** The stop reason in the record for each event. */
const STOPPED_BY: { readonly [E in Event]?: StopReason } = {
  "grace-over": "client-gone",
  "runtime-over": "timeout",
  "killed-by-admin": "killed-by-admin",
  "build-outside": "scope-failed",
};

export interface WatchedEnd {
  /** Undefined where the command itself could not be ended. */
  readonly exit: Exit | undefined;
  readonly stopped: EndedBy | undefined;
  readonly forced: Forced | undefined;
  /** How many processes were left when the command had ended. They were ended then. */
  readonly leftovers: number;
  readonly survivors: readonly Survivor[];
}

/**
 * Tells the client why its command will be ended. It does not wait for the client.
 * @returns whether the client can read the line now
 */
export type Announce = (why: StopReason) => boolean;

/** The parts of a session that `watchCommand` needs. */
export interface WatchingSession {
  readonly configuration: { readonly policy: { readonly session: Pick<SessionRules, "clientGoneGrace"> } };
  readonly ports: Pick<SessionPorts, "clock" | "client">;
}

/** Starts the command and waits until the holder is the only process in its scope, or the others cannot be ended. */
export function watchCommand(
  { configuration, ports: { clock, client } }: WatchingSession,
  { scope, terms }: Pick<RunningCommand, "scope" | "terms">,
  announce: Announce = () => false,
): Promise<WatchedEnd> {
  const { clientGoneGrace } = configuration.policy.session;
  return new Promise((resolve) => {
    let state: State = "running";
    let stopped: EndedBy | undefined;
    let exit: Exit | undefined;
    let forced: Forced | undefined;
    let announced: StopReason | undefined;
    let isGivenUp = false;
    const left = new Set<Pid>();
    // Counted from the opening of the scope, as RuntimeMaxSec of systemd.scope(5) is.
    const timeLeft = () => (terms.runtimeMax ?? Number.POSITIVE_INFINITY) - (clock.monotonic() - scope.openedAt);
    const cancel = new Set<() => void>();
    const after = (delay: Milliseconds, event: Event) => void cancel.add(clock.after(delay, () => happen(event)));
    let undoStop = () => {};
    /** Sends SIGTERM and starts its timeout. Leftover processes get a timeout of their own. */
    const stop = () => {
      undoStop();
      scope.terminate();
      undoStop = clock.after(terms.stopTimeout, () => happen("stop-over"));
    };
    cancel.add(() => undoStop());

    const kill = () => {
      scope.kill();
      after(GIVES_UP_AFTER, "given-up");
    };
    /** Notes that a signal from outside came before nixgate's. */
    const stoppedOutside = (why: EndedBy, how: Exit) => {
      stopped = why;
      forced = how.signal === "SIGKILL" ? how.signal : "SIGTERM";
    };

    const enter: Partial<Record<State, () => void>> = {
      leaving: () => after(Math.max(0, clientGoneGrace - client.latency) as Milliseconds, "grace-over"),
      telling: () => {
        forced = "SIGTERM"; // also where the command ends before the signal is sent
        const heard = announced !== undefined && announce(announced);
        if (heard && announced !== "client-gone") after(READS_WITHIN, "told");
        else happen("told");
      },
      terminating: stop,
      killing: () => {
        forced = "SIGKILL";
        kill();
      },
      clearing: () => (scope.endBuilds ? void scope.endBuilds().then(clear) : clear()),
      scouring: kill,
      gone: () => {
        for (const undo of cancel) undo();
        const survivors = isGivenUp ? scope.survivors() : [];
        for (const { pid } of survivors) left.delete(pid);
        resolve({ exit, stopped, forced, leftovers: left.size, survivors });
      },
    };
    const lookForOthers = () => {
      const others = scope.others();
      for (const pid of others) left.add(pid);
      if (others.length === 0) return happen("empty");
      if (state === "scouring") scope.kill();
      cancel.add(clock.after(LOOK_AGAIN, lookForOthers));
    };
    const clear = () => {
      lookForOthers();
      if (state === "clearing") stop();
    };
    const happen = (event: Event) => {
      const next = follow(state, event);
      if (next === state) return;
      if (next === "telling") {
        announced = STOPPED_BY[event];
        stopped = announced;
      }
      isGivenUp = event === "given-up";
      state = next;
      enter[next]?.();
    };

    cancel.add(client.watch(happen));
    if (scope.onStop) cancel.add(scope.onStop(() => happen("killed-by-admin")));
    if (scope.onBuildOutside) cancel.add(scope.onBuildOutside(() => happen("build-outside")));
    if (terms.runtimeMax !== undefined) after(Math.max(0, timeLeft()) as Milliseconds, "runtime-over");
    scope.exited.then(async (how) => {
      exit = how;
      const outside = stopped === undefined ? await scope.endedBy?.(how) : undefined;
      if (stopped === undefined && outside) stoppedOutside(outside, how);
      if (how.signal === "SIGPIPE") await settled(client, clock);
      // The command failed because its client was gone. The record says so instead of SIGPIPE.
      if (how.code !== 0 && client.isGone()) stopped ??= "client-gone";
      // systemd counts the runtime as well, and may have sent its SIGTERM first.
      if (stopped === undefined && how.signal !== undefined && timeLeft() <= 0) stoppedOutside("timeout", how);
      happen("exited");
    });
    scope.begin();
  });
}

/**
 * Waits briefly for news of the client. sshd closes its pipes shortly before it ends, so SIGPIPE may end the command
 * first.
 */
async function settled(client: SessionPorts["client"], clock: SessionPorts["clock"]): Promise<void> {
  const began = clock.monotonic();
  while (!client.isGone() && clock.monotonic() - began < client.latency)
    await new Promise<void>((done) => void clock.after(LOOK_AGAIN, done));
}
