import type { Exit, StopReason } from "../ending/ending.ts";
import type { SessionRules } from "../policy/policy.ts";
import type { Plan } from "../scope/plan.ts";
import type { Milliseconds } from "../units/quantities.ts";
import { type Event, follow, type State } from "./life-cycle.ts";
import type { OpenScope, SessionPorts } from "./ports.ts";

/** How often the scope is asked whether something is left in it. */
const LOOK_AGAIN = 10 as Milliseconds;

/** What the record calls the stop that an event leads to. */
const STOPPED_BY: { readonly [E in Event]?: StopReason } = {
  "grace-over": "client-gone",
  "runtime-over": "timeout",
  "killed-by-admin": "killed-by-admin",
};

export interface Watched {
  readonly exit: Exit;
  readonly stopped: StopReason | undefined;
  /** Processes that were left when the command had ended. */
  readonly leftovers: number;
}

/** Lets the command begin and stays until nothing but the holder is left of its scope. */
export function watchCommand(
  scope: OpenScope,
  plan: Plan,
  rules: SessionRules,
  { clock, client }: Pick<SessionPorts, "clock" | "client">,
): Promise<Watched> {
  return new Promise((resolve) => {
    let state: State = "running";
    let stopped: StopReason | undefined;
    let exit: Exit | undefined;
    const left = new Set<number>();
    // From the opening of the scope, as RuntimeMaxSec of systemd.scope(5) counts.
    const timeLeft = () => (plan.runtimeMax ?? Number.POSITIVE_INFINITY) - (clock.monotonic() - scope.openedAt);
    const cancel = new Set<() => void>();
    const after = (delay: Milliseconds, event: Event) => void cancel.add(clock.after(delay, () => happen(event)));
    let undoStop = () => {};
    /** SIGTERM, and the time from then on: what a command leaves behind has its own. */
    const stop = () => {
      undoStop();
      scope.terminate();
      undoStop = clock.after(plan.stopTimeout, () => happen("stop-over"));
    };
    cancel.add(() => undoStop());

    const enter: Partial<Record<State, () => void>> = {
      leaving: () => after(Math.max(0, rules.clientGoneGrace - client.latency) as Milliseconds, "grace-over"),
      terminating: stop,
      killing: () => scope.kill(),
      clearing: () => {
        lookForOthers();
        if (state === "clearing") stop();
      },
      scouring: () => scope.kill(),
      gone: () => {
        for (const undo of cancel) undo();
        resolve({ exit: exit as Exit, stopped, leftovers: left.size });
      },
    };
    const lookForOthers = () => {
      const others = scope.others();
      for (const pid of others) left.add(pid);
      if (others.length === 0) return happen("empty");
      if (state === "scouring") scope.kill();
      cancel.add(clock.after(LOOK_AGAIN, lookForOthers));
    };
    const happen = (event: Event) => {
      const next = follow(state, event);
      if (next === state) return;
      if (next === "terminating") stopped = STOPPED_BY[event];
      state = next;
      enter[next]?.();
    };

    cancel.add(client.watch(happen));
    if (plan.runtimeMax !== undefined) after(Math.max(0, timeLeft()) as Milliseconds, "runtime-over");
    scope.exited.then(async (how) => {
      exit = how;
      if (how.signal === "SIGPIPE") await settled(client, clock);
      // It failed because nobody listened any more: SIGPIPE says less than that.
      if (how.code !== 0 && client.isGone()) stopped ??= "client-gone";
      // systemd counts as well, and its SIGTERM may have come first.
      if (how.signal !== undefined && timeLeft() <= 0) stopped ??= "timeout";
      happen("exited");
    });
    scope.begin();
  });
}

/** sshd closes its pipes a moment before it ends, so a command that SIGPIPE ends may be quicker than its lost client. */
async function settled(client: SessionPorts["client"], clock: SessionPorts["clock"]): Promise<void> {
  const began = clock.monotonic();
  while (!client.isGone() && clock.monotonic() - began < client.latency)
    await new Promise<void>((done) => void clock.after(LOOK_AGAIN, done));
}
