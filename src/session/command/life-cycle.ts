/**
 * A command's life after its scope stands. `leaving`: the client is gone and the command has its grace. `telling`: the
 * client was told why the command will be ended, and has a moment to read it. `terminating`: SIGTERM was sent. `killing`: SIGKILL. `clearing` and `scouring` are the same for what the ended command left behind.
 */
export type State = "running" | "leaving" | "telling" | "terminating" | "killing" | "clearing" | "scouring" | "gone";

export type Event =
  | "client-gone"
  | "grace-over"
  | "runtime-over"
  | "killed-by-admin"
  /** The command itself has ended. */
  | "exited"
  /** The client had its moment, or could not be told. */
  | "told"
  /** `stop_timeout` after SIGTERM. */
  | "stop-over"
  /** What SIGKILL does not end is not waited for any longer. */
  | "given-up"
  /** Nothing but the holder is left in the scope. */
  | "empty";

/** An absent cell means "ignored on purpose": a client that is lost while its command is being ended changes nothing. */
const TABLE: { readonly [S in State]: { readonly [E in Event]?: State } } = {
  running: {
    "client-gone": "leaving",
    "runtime-over": "telling",
    "killed-by-admin": "telling",
    exited: "clearing",
  },
  leaving: {
    "grace-over": "telling",
    "runtime-over": "telling",
    "killed-by-admin": "telling",
    exited: "clearing",
  },
  telling: { told: "terminating", exited: "clearing" },
  terminating: { exited: "clearing", "stop-over": "killing" },
  killing: { exited: "clearing", "given-up": "gone" },
  clearing: { empty: "gone", "stop-over": "scouring" },
  scouring: { empty: "gone", "given-up": "gone" },
  gone: {},
};

/** The state that follows, or the same one where the event changes nothing. */
export function follow(state: State, event: Event): State {
  return TABLE[state][event] ?? state;
}
