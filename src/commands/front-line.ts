import type { Command } from "../cli/command.ts";
import { UsageError } from "../cli/usage-error.ts";
import type { Requests } from "../session/ports.ts";
import type { Milliseconds } from "../units/quantities.ts";

export interface FrontLinePorts {
  readonly requests: Requests;
  /** Becomes bin/nixgate-front again. */
  becomeFront(words: readonly string[]): never;
}

export const frontLine: Command<FrontLinePorts> = {
  name: "front-line",
  summary: "read one line of a line loop; nixgate-front calls it",
  usage: "BYTES MILLISECONDS TEAM MEMBER NUMBER",
  help: `Reads one request from stdin, not a byte more, and becomes nixgate-front again with that line as its last word. The
supervisor tells nixgate-front to call it, under manager = "system"; nobody else has a use for it.

Exit status: 64 for other words than these.
`,
  options: {},
  async run({ positionals }, { requests, becomeFront }) {
    const [bytes, timeout, ...front] = positionals;
    const bounds = { maxBytes: Number(bytes), timeout: Number(timeout) as Milliseconds };
    if (!(bounds.maxBytes > 0 && bounds.timeout > 0) || front.length !== 3)
      throw new UsageError("front-line is called by nixgate-front", { hint: "see nixgate front-line --help" });
    const { kind, bytes: read } = await requests.next(bounds);
    return becomeFront([...front, `${kind}:${Buffer.from(read).toString("hex")}`]);
  },
};
