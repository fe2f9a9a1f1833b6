import { expect, test } from "vitest";
import { type OwnedEvents, whoseLimit } from "../../../src/ending/limit-events.ts";

const unsaid: OwnedEvents = { own: undefined, team: 0, ancestor: 0 };
const none: OwnedEvents = { ...unsaid, own: 0 };

test.each<[string, OwnedEvents, number | undefined, string | undefined, string]>([
  [
    "the scope's own limit, with others hit by others meanwhile",
    { own: 1, team: 2, ancestor: 1 },
    1024,
    "1024",
    "command",
  ],
  ["the team's, while the peak is near the scope's own", { ...none, team: 1 }, 1024, "1024", "team"],
  ["one of root's", { ...none, ancestor: 1 }, 4096, "1024", "ancestor"],
  ["one of root's, without a limit of its own", { ...none, ancestor: 1 }, 4096, "max", "ancestor"],
  ["none at all: the machine's memory was gone", none, 512, "1024", "host"],
  ["a peak at the limit, for an older kernel", unsaid, 1024, "1024", "command"],
  ["a peak that a batch of an older kernel's keeps below", unsaid, 1000, "1024", "command"],
  ["a peak far below it, for an older kernel", unsaid, 512, "1024", "team"],
  ["an older kernel that knows no peak", unsaid, undefined, "1024", "command"],
  ["an older kernel, no limit at all", unsaid, 512, "max", "team"],
  ["an older kernel, a limit that was not asked for", unsaid, 512, undefined, "team"],
])("%s", (_, limitEvents, peak, limit, whose) => {
  expect(whoseLimit(limitEvents, peak, limit)).toBe(whose);
});
