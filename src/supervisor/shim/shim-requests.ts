import type { NextLine, Requests } from "../../session/ports.ts";
import { answerToRead } from "../../session/shim-answers.ts";
import type { Waiting } from "../waiting-shims.ts";
import type { ShimChannel } from "./shim-channel.ts";

/** Words of a shim that comes back from `nixgate read-request`: TEAM MEMBER NUMBER LINE. */
const LINE_WORD = 3;
/** How much longer than its own time to read a line `nixgate read-request` may take, in milliseconds, and its words before the line. */
const SLACK_MS = 20_000;
const WORDS_BEFORE = 4096;
/** Its shim is gone. */
const NO_MORE: NextLine = { kind: "end", bytes: new Uint8Array(0) };
/** What `nixgate read-request` read: how it ended, and the bytes in hexadecimal. */
const LINE = /^(line|end|too-long|timeout):((?:[0-9a-f]{2})*)$/;

/**
 * The line loop of a shim: the account's own process reads the line and shows it in its command line, where the kernel
 * keeps it for whoever may look. The supervisor reads no stream of the client's. The shim is in a scope of its own meanwhile.
 * @param program bin/nixgate
 */
export function requestsOfShim(talk: ShimChannel, waiting: Waiting, program: string): Requests {
  return {
    async next(bounds) {
      try {
        await waiting.enter();
      } catch (error) {
        if (!talk.shim.isThere()) return NO_MORE;
        throw error;
      }
      const [team = "", member = ""] = talk.shim.words();
      await talk.answer((said, number) => answerToRead(program, [team, member, String(number + 1)], bounds, said));
      if ((await talk.asked(bounds.timeout + SLACK_MS)) === undefined) return NO_MORE;
      const [, kind, hex = ""] = LINE.exec(talk.shim.words(WORDS_BEFORE + 2 * bounds.maxBytes)[LINE_WORD] ?? "") ?? [];
      // What is no line of that program's was made up by the account: nothing is asked for.
      const bytes = Uint8Array.from(Buffer.from(hex, "hex")).subarray(0, bounds.maxBytes);
      return { kind: (kind ?? "end") as NextLine["kind"], bytes };
    },
  };
}
