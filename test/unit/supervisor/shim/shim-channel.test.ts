import { readdirSync } from "node:fs";
import { expect, test } from "vitest";
import { answerToEnd, answerToRead, answerToWait } from "../../../../src/session/shim-answers.ts";
import { openShimChannel } from "../../../../src/supervisor/shim/shim-channel.ts";
import type { Milliseconds } from "../../../../src/units/quantities.ts";
import { type FakeShim, fakeShim } from "../../../support/fake-shim.ts";
import { temporaryFolder } from "../../../support/temporary.ts";
import { waitFor } from "../../../support/wait-for.ts";

const FIRST = { number: 1, status: undefined };
const BOUNDS = { maxBytes: 100, timeout: 1000 as Milliseconds };
const RUN = () => "/bin/true\n";
const READ = ({ number }: { readonly number: number }) =>
  answerToRead("/bin/nixgate", ["alpha", "ci", String(number)], BOUNDS, { told: [], started: 0 });

/** A shim that has come, and the channel to it. */
function conversation(folder = temporaryFolder("answers")) {
  const shim: FakeShim = fakeShim(folder, (ask) => talk.take(ask));
  const talk = openShimChannel(shim, folder, FIRST);
  shim.comes();
  return { shim, talk, folder };
}

/** The names of the answers that a shim could read. */
const answersIn = (folder: string) => readdirSync(folder).filter((name) => !name.startsWith("spare-"));

test("a shim runs its first answer, reports the command's status, and ends with the session's", async () => {
  const { shim, talk, folder } = conversation();
  expect(await talk.still()).toBe(true);
  await talk.answer(RUN);
  expect({ doing: shim.doing(), answers: answersIn(folder) }).toEqual({ doing: "runs", answers: ["4711-1"] });
  shim.commandEnds(3);
  expect(await talk.asked()).toEqual({ number: 2, status: 3 });
  expect(answersIn(folder)).toEqual([]);
  await talk.finish((said) => answerToEnd(77, said));
  expect({ doing: shim.doing(), status: shim.status() }).toEqual({ doing: "ended", status: 77 });
  await talk.end();
  expect({ answers: answersIn(folder), signals: shim.signals }).toEqual({
    answers: [],
    signals: ["SIGCONT", "SIGCONT"],
  });
});

test("a shim that another process continues asks again, and gets its answer once", async () => {
  const { shim, talk } = conversation();
  shim.signal("SIGCONT");
  shim.signal("SIGCONT");
  expect(shim.doing()).toBe("waits");
  await talk.answer(RUN);
  expect(shim.answers).toHaveLength(1);
  shim.commandEnds(0);
  expect(await talk.asked()).toEqual({ number: 2, status: 0 });
  shim.signal("SIGKILL");
  await talk.end();
});

test("a shim that missed its SIGCONT is continued when it repeats its line", async () => {
  const folder = temporaryFolder("answers");
  const shim = fakeShim(folder, (ask) => talk.take(ask));
  let isMissed = false;
  const signal: FakeShim["signal"] = (name) => {
    if (name !== "SIGCONT" || isMissed) return shim.signal(name);
    isMissed = true;
  };
  const talk = openShimChannel({ ...shim, signal }, folder, FIRST);
  shim.comes();
  await talk.answer(RUN);
  expect(shim.doing()).toBe("waits");
  talk.take(FIRST);
  await waitFor("the answer", () => shim.doing() === "runs");
  shim.signal("SIGKILL");
  await talk.end();
});

test("a session that ends while its shim reads a line ends the shim with SIGTERM", async () => {
  const { shim, talk } = conversation();
  await talk.answer(() => READ({ number: 2 }));
  expect(shim.doing()).toBe("reads");
  await talk.finish((said) => answerToEnd(0, said));
  await talk.end();
  expect({ doing: shim.doing(), signals: shim.signals }).toEqual({ doing: "ended", signals: ["SIGCONT", "SIGTERM"] });
});

test("a session that ends while its shim runs a command gives the shim its last answer at its next line", async () => {
  const { shim, talk } = conversation();
  await talk.answer(RUN);
  await talk.finish((said) => answerToEnd(143, said));
  expect({ doing: shim.doing(), signals: shim.signals }).toEqual({ doing: "runs", signals: ["SIGCONT", "SIGTERM"] });
  shim.commandEnds(0);
  await talk.end();
  expect(shim.status()).toBe(143);
});

test("a shim without room for its answer gives up with 75", async () => {
  const { shim, talk } = conversation("/nonexistent/answers");
  expect(talk.hasRoom).toBe(false);
  await expect(talk.answer(RUN)).rejects.toThrow("no room for an answer");
  await talk.finish((said) => answerToEnd(0, said));
  await talk.end();
  expect({ status: shim.status(), signals: shim.signals }).toEqual({ status: 75, signals: ["SIGUSR2", "SIGCONT"] });
});

test("a line for the client is in the next answer alone", async () => {
  const { shim, talk } = conversation();
  talk.say("nixgate: one");
  talk.sayStarted();
  await talk.answer(answerToWait);
  expect(await talk.asked()).toEqual({ number: 2, status: 75 });
  await talk.finish((said) => answerToEnd(0, said));
  await talk.end();
  expect(shim.answers.map((text) => [text.includes("nixgate: one"), text.includes("echo started")])).toEqual([
    [true, true],
    [false, false],
  ]);
});

test("a shim that ends without a word is no ask, and a lost one is waited for no longer", async () => {
  const killed = conversation();
  await killed.talk.answer(RUN);
  const asked = killed.talk.asked();
  killed.shim.signal("SIGKILL");
  expect(await asked).toBeUndefined();
  const lost = conversation();
  await lost.talk.answer(RUN);
  const waited = lost.talk.asked();
  lost.talk.lost();
  expect(await waited).toBeUndefined();
  lost.shim.signal("SIGKILL");
  await Promise.all([killed.talk.end(), lost.talk.end()]);
});
