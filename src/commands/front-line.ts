import type { Command } from "../cli/command.ts";
import { UsageError } from "../cli/usage-error.ts";
import type { LineBounds, Requests } from "../session/ports.ts";
import type { Milliseconds } from "../units/quantities.ts";

export interface FrontLinePorts {
  readonly requests: Requests;
  /** Becomes bin/nixgate-front again. */
  becomeFront(words: readonly string[]): never;
}

export const frontLine: Command<FrontLinePorts> = {
  name: "front-line",
  summary: "read one line of a line loop; nixgate-front calls it",
  hidden: true,
  usage: "BYTES MILLISECONDS TEAM MEMBER NUMBER [GREETING]",
  help: `Reads one request from stdin, not a byte more, and becomes nixgate-front again with that line as its last word. Who
sends none for a second is told GREETING on stderr. The supervisor tells nixgate-front to call it, under manager = "system";
nobody else has a use for it.

Exit status: 64 for other words than these.
`,
  options: {},
  async run({ positionals }, { requests, becomeFront }) {
    const [bytes, timeout, team, member, number, greeting, ...more] = positionals;
    const limits = { maxBytes: Number(bytes), timeout: Number(timeout) as Milliseconds };
    const bounds: LineBounds = { ...limits, ...(greeting !== undefined && { greeting }) };
    if (!(bounds.maxBytes > 0 && bounds.timeout > 0) || number === undefined || more.length > 0)
      throw new UsageError("front-line is called by nixgate-front", { hint: "see nixgate front-line --help" });
    const { kind, bytes: read } = await requests.next(bounds);
    return becomeFront([team ?? "", member ?? "", number, `${kind}:${Buffer.from(read).toString("hex")}`]);
  },
};
