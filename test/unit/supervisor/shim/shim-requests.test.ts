import { expect, test } from "vitest";
import { ScopeUnavailable } from "../../../../src/session/scope-unavailable.ts";
import { openShimChannel } from "../../../../src/supervisor/shim/shim-channel.ts";
import { requestsOfShim } from "../../../../src/supervisor/shim/shim-requests.ts";
import type { WaitingScopes } from "../../../../src/supervisor/waiting-shims.ts";
import type { Milliseconds } from "../../../../src/units/quantities.ts";
import { type FakeShim, fakeShim } from "../../../support/fake-shim.ts";
import { temporaryFolder } from "../../../support/temporary.ts";
import { waitFor } from "../../../support/wait-for.ts";

const BOUNDS = { maxBytes: 8, timeout: 60_000 as Milliseconds, greeting: "nixgate: hello" };
const hex = (text: string) => Buffer.from(text).toString("hex");

/** A shim in its line loop. `story` has what its waiting scope does. */
function loop(enter: WaitingScopes["enter"] = async () => undefined) {
  const folder = temporaryFolder("answers");
  const shim: FakeShim = fakeShim(folder, (ask) => talk.take(ask));
  const talk = openShimChannel(shim, folder, { number: 1, status: undefined });
  const story: string[] = [];
  const waiting: WaitingScopes = {
    async enter() {
      await enter();
      story.push("enter");
    },
    watchStop() {
      story.push("watch");
      return () => void story.push("unwatch");
    },
  };
  shim.comes();
  const over = async () => {
    shim.signal("SIGKILL");
    await talk.end();
  };
  return { shim, requests: requestsOfShim(talk, waiting, "/bin/nixgate"), story, over };
}

test.each([
  [`line:${hex("nix-x")}`, "line", "nix-x"],
  [`line:${hex("nix-daemon --stdio")}`, "line", "nix-daem"],
  ["line:", "line", ""],
  ["end:", "end", ""],
  [`too-long:${hex("abc")}`, "too-long", "abc"],
  ["timeout:", "timeout", ""],
  ["killed:", "end", ""],
  ["line:6", "end", ""],
  ["line:6G", "end", ""],
  ["line", "end", ""],
  [`line:${hex("a")} `, "end", ""],
])("a shim that shows %j in its command line has read a %s %j", async (word, kind, text) => {
  const { shim, requests, story, over } = loop();
  const next = requests.next(BOUNDS);
  await waitFor("its answer", () => shim.doing() === "reads");
  expect(shim.answers[0]).toContain("exec /bin/nixgate read-request 8 60000 alpha ci 2 'nixgate: hello' 2>&3");
  shim.lineIsRead(word);
  const { kind: seen, bytes } = await next;
  expect([seen, Buffer.from(bytes).toString()]).toEqual([kind, text]);
  expect(story).toEqual(["enter", "watch", "unwatch"]);
  await over();
});

test("a shim that is killed while it reads a line is no end of its client", async () => {
  const { shim, requests, story, over } = loop();
  const next = requests.next(BOUNDS);
  await waitFor("its answer", () => shim.doing() === "reads");
  shim.signal("SIGKILL");
  expect((await next).kind).toBe("killed");
  expect(story.at(-1)).toBe("unwatch");
  await over();
});

test("a shim that cannot be in a scope gets no line: its end is one, another reason is thrown", async () => {
  const enter = async () => {
    throw new ScopeUnavailable("the shim does not stop");
  };
  const { shim, requests, over } = loop(enter);
  await expect(requests.next(BOUNDS)).rejects.toThrow("the shim does not stop");
  expect(shim.answers).toEqual([]);
  shim.signal("SIGKILL");
  expect((await requests.next(BOUNDS)).kind).toBe("killed");
  await over();
});
