import { expect, test } from "vitest";
import { sharingGroups } from "../../../src/supervisor/fifos.ts";

test("teams of one group are named together, all others not at all", () => {
  const teams = [
    { name: "alpha", gid: 2001 },
    { name: "beta", gid: 100 },
    { name: "gamma", gid: 2003 },
    { name: "delta", gid: 100 },
  ];
  expect(sharingGroups(teams)).toEqual([["beta", "delta"]]);
  expect(sharingGroups(teams.toReversed())).toEqual([["beta", "delta"]]);
  expect(sharingGroups(teams.slice(0, 3))).toEqual([]);
});
