import type { WholeSession } from "../../src/archive/sessions/whole-sessions.ts";
import { wholeSessions } from "../../src/archive/sessions/whole-sessions.ts";
import { archiveOf } from "./archive-in-memory.ts";
import { bodies, sessionLines } from "./records.ts";

const { run, ran } = bodies;
const limits = { asked: { MemoryMax: "1G" }, applied: { MemoryMax: "1073741824", TasksMax: "256" } };

/** As a client would write it who means ill of whoever reads. */
export const HOSTILE = "\"</script><script>alert(1)</script><img src=x onerror=alert(2)>\u202e=cmd|'/C calc'!A0";

export const told = {
  usual: sessionLines("2026-01-05T03:12:00Z", [bodies.start, bodies.deny, { ...run, limits }, ran, bodies.end]),
  refused: sessionLines("2026-01-05T04:00:00Z", [
    bodies.start,
    bodies.refuse,
    { ...bodies.end, commands: 0, denied: 0, exit: 75 },
  ]),
  killed: sessionLines("2026-01-05T05:00:00Z", [
    { ...bodies.start, member: "dev", client: { ip: "unknown", port: 1 } },
    { ...run, limits },
    { ...ran, cause: "oom", exit_code: undefined, signal: "SIGKILL", usage: { memory_peak_bytes: 1_073_741_824 } },
    { ...bodies.end, exit: 137, cause: "oom" },
  ]),
  bare: sessionLines("2026-01-05T06:00:00Z", [
    { ...bodies.start, member: undefined, client: undefined, server: undefined, key: undefined },
  ]),
  forged: sessionLines("2026-01-05T06:30:00Z", [
    bodies.start,
    run,
    { ...ran, wall_ms: Number.MAX_SAFE_INTEGER },
    { ...bodies.end, wall_ms: Number.MAX_SAFE_INTEGER },
  ]),
  hostile: sessionLines(
    "2026-01-05T07:00:00Z",
    [
      { ...bodies.start, member: HOSTILE, client: { ip: HOSTILE, port: 1 }, user: HOSTILE },
      { ...bodies.deny, request: HOSTILE },
      bodies.end,
    ],
    { host: HOSTILE },
  ),
};

/** Records of no session. */
export const toldOfHost = {
  closed: sessionLines("2026-01-05T06:40:00Z", [bodies.close], { team: "_host" }),
  opened: sessionLines("2026-01-05T06:50:00Z", [bodies.open], { team: "_host" }),
};

export const wholeOf = (lines: readonly string[]): WholeSession => {
  const { team } = JSON.parse(lines[0] ?? "");
  const [file] = archiveOf({ [`${team}/2026-01-05`]: lines.join("") }).scan().files;
  const [session] = wholeSessions(
    file!,
    () => false,
    () => undefined,
  );
  return session!;
};
