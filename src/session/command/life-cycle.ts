/**
 * The states of a command after its scope was made.
 * `leaving`: the client is gone and the command still has its grace time.
 * `telling`: the client was told why the command will be ended, and has a moment to read it.
 * `terminating`: SIGTERM was sent. `killing`: SIGKILL was sent.
 * `clearing` and `scouring`: SIGTERM and SIGKILL were sent to the processes that the ended command left behind.
 */
export type State = "running" | "leaving" | "telling" | "terminating" | "killing" | "clearing" | "scouring" | "gone";

export type Event =
  | "client-gone"
  | "grace-over"
  | "runtime-over"
  | "killed-by-admin"
  /** A build of the command was found outside of its scope. */
  | "build-outside"
  /** The command itself has ended. */
  | "exited"
  /** The client had its moment to read, or could not be told. */
  | "told"
  /** `stop_timeout` has passed since SIGTERM. */
  | "stop-over"
  /** A process that survives SIGKILL is not waited for any longer. */
  | "given-up"
  /** The holder is the only process left in the scope. */
  | "empty";

/**
 * An absent cell means "ignored on purpose": for example, a lost client changes nothing while its command is being
 * ended.
 */
const TABLE: { readonly [S in State]: { readonly [E in Event]?: State } } = {
  running: {
    "client-gone": "leaving",
    "runtime-over": "telling",
    "killed-by-admin": "telling",
    "build-outside": "telling",
    exited: "clearing",
  },
  leaving: {
    "grace-over": "telling",
    "runtime-over": "telling",
    "killed-by-admin": "telling",
    "build-outside": "telling",
    exited: "clearing",
  },
  telling: { told: "terminating", exited: "clearing" },
  terminating: { exited: "clearing", "stop-over": "killing" },
  killing: { exited: "clearing", "given-up": "gone" },
  clearing: { empty: "gone", "stop-over": "scouring" },
  scouring: { empty: "gone", "given-up": "gone" },
  gone: {},
};

/** The next state, or the same state where the event changes nothing. */
export function follow(state: State, event: Event): State {
  return TABLE[state][event] ?? state;
}
