import { expect, test } from "vitest";
import { forcedOfShim, shimWords } from "../../../src/session/forced-command.ts";

const KEY = `SHA256:${"A".repeat(42)}+`;
const CA = `SHA256:${"/".repeat(43)}`;

test.each([
  [{ team: "alpha", member: undefined }, ["alpha"]],
  [{ team: "alpha", member: "ci" }, ["alpha", "ci"]],
  [{ team: "alpha", member: "ci", key: KEY }, ["alpha", `ci,${KEY}`]],
  [{ team: "alpha", member: "ci", key: KEY, certificate: { ca: CA, serial: "17" } }, ["alpha", `ci,${KEY},${CA}:17`]],
  [{ team: "alpha", member: "ci", certificate: { ca: CA, serial: "0" } }, ["alpha", `ci,,${CA}:0`]],
])("%j is the words %j of a shim, and they are it again", (forced, words) => {
  expect(shimWords(forced)).toEqual(words);
  const [team = "", who] = words;
  expect(forcedOfShim(team, who)).toEqual(forced);
});

test.each(["ci,key", `ci,${KEY},17`, `ci,${KEY},${CA}:-1`, `ci,${KEY},${CA}:1,more`, `ci,${KEY}x`])(
  "%s is the name of a member that no policy has",
  (who) => {
    expect(forcedOfShim("alpha", who)).toEqual({ team: "alpha", member: who });
  },
);
