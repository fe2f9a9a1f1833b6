import { expect, test } from "vitest";
import { type Event, follow, type State } from "../../../../src/session/command/life-cycle.ts";

const walk = (...events: Event[]) => events.reduce(follow, "running" as State);

test.each<[string, Event[], State]>([
  ["a command that ends and leaves nothing is gone", ["exited", "empty"], "gone"],
  ["what it left is asked to end, then killed", ["exited", "stop-over"], "scouring"],
  ["a lost client leaves the command its grace", ["client-gone"], "leaving"],
  ["after the grace it is asked to end", ["client-gone", "grace-over", "told"], "terminating"],
  ["the administrator does not wait for the grace", ["client-gone", "killed-by-admin", "told"], "terminating"],
  ["a build outside of the scope ends the command at once", ["build-outside", "told"], "terminating"],
  ["also where its client is gone", ["client-gone", "build-outside", "told"], "terminating"],
  ["the client hears why before anything is sent", ["runtime-over"], "telling"],
  ["a command that ends while its client hears is not asked to end", ["runtime-over", "exited"], "clearing"],
  ["what SIGKILL does not end is given up", ["runtime-over", "told", "stop-over", "given-up"], "gone"],
  ["what was left over and SIGKILL does not end is too", ["exited", "stop-over", "given-up"], "gone"],
  ["what ignores SIGTERM is killed", ["runtime-over", "told", "stop-over"], "killing"],
  ["a killed command leaves things to clear too", ["runtime-over", "told", "stop-over", "exited"], "clearing"],
  [
    "a client that is lost while its command is being ended changes nothing",
    ["killed-by-admin", "told", "client-gone"],
    "terminating",
  ],
  ["a timer that fires late changes nothing", ["exited", "empty", "stop-over"], "gone"],
])("%s", (_, events, state) => {
  expect(walk(...events)).toBe(state);
});
