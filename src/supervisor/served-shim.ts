import type { Fifo } from "./fifos.ts";
import type { ShimChannel } from "./shim/shim-channel.ts";
import type { ShimClient } from "./shim/shim-client.ts";
import type { Strays } from "./strays.ts";

/** A shim that is being served. */
export interface ServedShim {
  readonly talk: ShimChannel;
  /** The FIFO of its team. Lines from other FIFOs do not affect it. */
  readonly fifo: Fifo;
  /** Set when the session has an id. */
  session?: string;
  /** Set when the policy, and so the grace time of a lost client, is known. */
  client: ShimClient | undefined;
  /** The folder of the scope that its shim is in; undefined while the shim is outside of nixgate's slice. */
  scope: string | undefined;
  /** Set when it has run a command: the search for its account's processes outside of sessions. */
  watch: ReturnType<Strays["watch"]> | undefined;
}
