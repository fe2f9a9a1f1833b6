import type { NextLine, Requests } from "../../session/ports.ts";
import { answerToRead } from "../../session/shim-answers.ts";
import type { WaitingScopes } from "../waiting-shims.ts";
import type { ShimChannel } from "./shim-channel.ts";

/** The index of the line in the words of a shim after `nixgate read-request`: TEAM MEMBER NUMBER LINE. */
const LINE_WORD = 3;
/**
 * The extra time for `nixgate read-request` beyond its own timeout, in milliseconds, and the bytes of its words before
 * the line.
 */
const SLACK_MS = 20_000;
const WORDS_BEFORE = 4096;
/** The shim did not ask again in time. */
const SILENT: NextLine = { kind: "end", bytes: new Uint8Array(0) };
/** The shim has ended. While it reads a line, only a signal ends it. */
const KILLED: NextLine = { kind: "killed", bytes: new Uint8Array(0) };
/** The result of `nixgate read-request`: the way it ended, and the bytes in hexadecimal. */
const LINE = /^(line|end|too-long|timeout):((?:[0-9a-f]{2})*)$/;

/**
 * The line loop of a shim. The account's own process reads the line and shows it in its command line, which the kernel
 * keeps. The supervisor reads no stream of the client. Meanwhile the shim is in a scope of its own.
 * @param program bin/nixgate
 */
export function requestsOfShim(talk: ShimChannel, waiting: WaitingScopes, program: string): Requests {
  return {
    async next(bounds) {
      try {
        await waiting.enter();
      } catch (error) {
        if (!talk.shim.isThere()) return KILLED;
        throw error;
      }
      const unwatch = waiting.watchStop();
      try {
        const [team = "", member = ""] = await talk.shim.words();
        await talk.answer((said, number) => answerToRead(program, [team, member, String(number + 1)], bounds, said));
        if ((await talk.asked(bounds.timeout + SLACK_MS)) === undefined) return talk.shim.isThere() ? SILENT : KILLED;
      } finally {
        unwatch();
      }
      const words = await talk.shim.words(WORDS_BEFORE + 2 * bounds.maxBytes);
      const [, kind, hex = ""] = LINE.exec(words[LINE_WORD] ?? "") ?? [];
      // The account invented a text of another form, so it counts as the end.
      const bytes = Uint8Array.from(Buffer.from(hex, "hex")).subarray(0, bounds.maxBytes);
      return { kind: (kind ?? "end") as NextLine["kind"], bytes };
    },
  };
}
