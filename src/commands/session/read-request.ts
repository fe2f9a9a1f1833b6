import type { Command } from "../../cli/command.ts";
import { UsageError } from "../../cli/usage-error.ts";
import type { LineBounds, Requests } from "../../session/ports.ts";
import type { Milliseconds } from "../../units/quantities.ts";

export interface ReadRequestPorts {
  readonly requests: Requests;
  /** Becomes bin/nixgate-shim again. */
  becomeShim(words: readonly string[]): never;
}

export const readRequest: Command<ReadRequestPorts> = {
  name: "read-request",
  summary: "read one line of a line loop; nixgate-shim calls it",
  hidden: true,
  usage: "BYTES MILLISECONDS TEAM MEMBER NUMBER [GREETING]",
  help: `Reads one request from stdin, not a byte more, and becomes nixgate-shim again with that line as its last word. A client that
sends no line for a second gets GREETING on stderr. Only nixgate-shim calls this command, under manager = "system".

Exit status: 64 for wrong arguments.
`,
  options: {},
  async run({ positionals }, { requests, becomeShim }) {
    const [bytes, timeout, team, member, number, greeting, ...more] = positionals;
    const limits = { maxBytes: Number(bytes), timeout: Number(timeout) as Milliseconds };
    const bounds: LineBounds = { ...limits, ...(greeting !== undefined && { greeting }) };
    if (!(bounds.maxBytes > 0 && bounds.timeout > 0) || number === undefined || more.length > 0)
      throw new UsageError("read-request is called by nixgate-shim", { hint: "see nixgate read-request --help" });
    const { kind, bytes: read } = await requests.next(bounds);
    return becomeShim([team ?? "", member ?? "", number, `${kind}:${Buffer.from(read).toString("hex")}`]);
  },
};
