import { expect, test } from "vitest";
import { buildsOutside, type SeenProcess } from "../../../../src/supervisor/builds/outside-builds.ts";
import { toPid } from "../../../../src/units/ids.ts";

const SLICE = "/nixgate.slice/nixgate-alpha.slice/nixgate-alpha-x.slice";
const process = (pid: number, cgroup: string, more: Partial<SeenProcess> = {}): SeenProcess => ({
  ...{ pid: toPid(pid), cgroup, parent: toPid(1), client: undefined },
  ...more,
});
const COMMAND = process(10, `${SLICE}/a.scope`, { parent: toPid(5) });
const DAEMON = process(20, `${SLICE}/a-builds.service`);

test.each<{ what: string; others: SeenProcess[]; found: number[] }>([
  { what: "nothing", others: [], found: [] },
  {
    what: "a build in the slice",
    others: [process(21, `${SLICE}/a-builds.service/x`, { parent: toPid(20) })],
    found: [],
  },
  { what: "a build that left the slice", others: [process(21, "/elsewhere", { parent: toPid(20) })], found: [21] },
  {
    what: "a worker of the host's daemon for the command",
    others: [process(30, "/system.slice/nix-daemon.service", { client: toPid(10) })],
    found: [30],
  },
  {
    what: "a worker of the host's daemon for somebody else",
    others: [process(30, "/system.slice/nix-daemon.service", { client: toPid(11) })],
    found: [],
  },
  {
    what: "a slice whose name only begins alike",
    others: [process(40, `${SLICE}-y.slice/b`, { parent: toPid(20) })],
    found: [40],
  },
  { what: "the parent of the command", others: [process(5, "/user.slice")], found: [] },
])("of $what it finds $found", ({ others, found }) => {
  expect(buildsOutside(SLICE, [COMMAND, DAEMON, ...others]).map(({ pid }) => pid)).toEqual(found);
});
