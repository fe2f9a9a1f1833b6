import fc from "fast-check";
import { bodies, sessionLines } from "../support/records.ts";

/** Any bytes, mostly few. */
export const anyBytes = fc.uint8Array({ maxLength: 200 });
/** Any text, also such as is no whole Unicode, and such as moves a cursor or reorders. */
export const anyText = fc.oneof(
  fc.string({ unit: "binary", maxLength: 60 }),
  fc.string({ unit: "binary-ascii", maxLength: 60 }),
  fc
    .array(fc.constantFrom("\u0000", "\n", "\u001b[2J", "\u202e", "\ud800", "9".repeat(20), "-1", ")", " "), {
      maxLength: 9,
    })
    .map((parts) => parts.join("")),
);

/** A sound text with a few places changed: cut, doubled, exchanged for something else, or with something put in. */
export function mangled(sound: fc.Arbitrary<string>): fc.Arbitrary<string> {
  const change = fc.record({
    at: fc.double({ min: 0, max: 1, noNaN: true }),
    cut: fc.nat(12),
    put: fc.oneof(anyText, fc.constant("")),
  });
  return fc.tuple(sound, fc.array(change, { maxLength: 3 })).map(([text, changes]) =>
    changes.reduce((now, { at, cut, put }) => {
      const place = Math.floor(at * now.length);
      return now.slice(0, place) + put + now.slice(place + cut);
    }, text),
  );
}

const sessions = [
  sessionLines("2026-01-05T03:12:00Z"),
  sessionLines("2026-01-05T03:12:00Z", [bodies.start, bodies.run], { team: "beta" }),
  sessionLines("2026-01-05T23:59:59Z", [bodies.start, bodies.refuse, { ...bodies.end, exit: 75 }]),
];
const lines = sessions.flatMap((session) => session.lines);

/** A record's line, sound or not. */
export const recordLine = mangled(fc.constantFrom(...lines));
/** A day's file out of such lines, in any order, some of them twice. */
export const dayText = fc
  .array(fc.oneof({ weight: 4, arbitrary: fc.constantFrom(...lines) }, { weight: 1, arbitrary: recordLine }), {
    maxLength: 8,
  })
  .map((some) => some.join(""));
