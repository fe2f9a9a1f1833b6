import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { expect, test } from "vitest";
import { sliceName, unitName } from "../../../src/scope/names.ts";
import { sessionId, teamName } from "../../../src/units/ids.ts";

const team = (name: string) => teamName(name) as NonNullable<ReturnType<typeof teamName>>;

test.each([
  ["alpha", "nixgate-alpha.slice"],
  ["a-b", "nixgate-a\\x2db.slice"],
])("a team's slice is a child of nixgate.slice, also with a dash in its name: %s", (name, slice) => {
  expect(sliceName(team(name))).toBe(slice);
});

test.runIf(existsSync("/usr/bin/systemd-escape"))("the slice is escaped as systemd-escape(1) does it", () => {
  const escaped = execFileSync("systemd-escape", ["a-b-1"], { encoding: "utf8" }).trim();
  expect(sliceName(team("a-b-1"))).toBe(`nixgate-${escaped}.slice`);
});

test("a scope is named after team, session and command", () => {
  const session = sessionId("01890a5d-ac96-774b-bcce-b302099a8057");
  const name = "nixgate-alpha-01890a5d-ac96-774b-bcce-b302099a8057-3";
  expect(session && unitName(team("alpha"), session, 3)).toBe(`${name}.scope`);
  expect(session && unitName(team("alpha"), session, 3, "service")).toBe(`${name}.service`);
});
