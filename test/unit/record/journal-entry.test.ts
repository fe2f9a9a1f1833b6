import { expect, test } from "vitest";
import { append, openChain } from "../../../src/record/chain.ts";
import { journalEntry, MESSAGE_IDS } from "../../../src/record/journal-entry.ts";
import type { RecordBody } from "../../../src/record/schema.ts";
import type { SessionId } from "../../../src/units/ids.ts";
import { BOOT, bodies } from "../../support/records.ts";

const identity = { session: "019ab000-0000-7000-8000-000000000001" as SessionId, team: "alpha", host: "b", boot: BOOT };
const fieldsOf = (entry: string) =>
  Object.fromEntries(
    entry
      .trimEnd()
      .split("\n")
      .map((line) => [line.slice(0, line.indexOf("=")), line.slice(line.indexOf("=") + 1)]),
  );

test.each([
  [bodies.start, "6", "session started: team alpha, member ci as nix-alpha from 10.0.0.5 port 51234"],
  [bodies.refuse, "4", "session refused: team alpha has 8 sessions already (team-busy)"],
  [bodies.deny, "4", "request 1 denied (not-allowlisted): rm -rf /"],
  [bodies.run, "6", "command 2 started by rule allow[0]: nix-store --serve --write"],
  [
    { ...bodies.run, argv: ["/usr/bin/nix-store", "--serve"] },
    "6",
    "command 2 started by rule allow[0]: nix-store --serve, asked for --serve --write (read only)",
  ],
  [
    bodies.ran,
    "6",
    "command 2 ended: exit 0 after 9.8 s; CPU 3.1 s, memory peak 812 MiB, tasks peak 12, 1 left over and ended",
  ],
  [
    { ...bodies.ran, cause: "oom", exit_code: undefined, signal: "SIGKILL", usage: {}, leftovers: undefined } as const,
    "5",
    "command 2 ended: oom (SIGKILL) after 9.8 s",
  ],
  [
    { ...bodies.ran, cause: "tasks-limit", limit_of: "team", exit_code: 11, usage: {}, leftovers: 0 } as const,
    "5",
    "command 2 ended: tasks-limit at the team's limit (exit 11) after 9.8 s",
  ],
  [
    {
      ...bodies.ran,
      cause: "timeout",
      exit_code: 0,
      status: 143,
      usage: {},
      leftovers: 0,
      survivors: [{ pid: 7, uid: 0, name: "sleep" }, { pid: 8 }],
    } satisfies RecordBody,
    "5",
    "command 2 ended: timeout (exit 0, status 143) after 9.8 s; could not be ended: sleep (pid 7, uid 0), unknown (pid 8, uid unknown)",
  ],
  [bodies.end, "6", "session ended: exit, status 0, 1 command, 1 denied"],
])("$event becomes journal fields", (body, priority, message) => {
  const { record, line } = append(openChain(identity), 0, body);
  expect(fieldsOf(journalEntry(record, line))).toEqual({
    MESSAGE: message,
    PRIORITY: priority,
    MESSAGE_ID: MESSAGE_IDS[body.event],
    SYSLOG_IDENTIFIER: "nixgate",
    NIXGATE_SESSION: identity.session,
    NIXGATE_TEAM: "alpha",
    NIXGATE_EVENT: body.event,
    NIXGATE_SEQ: "0",
    ...(body.event === "command.start" && { USER_UNIT: body.unit, USER_INVOCATION_ID: body.invocation }),
    NIXGATE_RECORD: line.trimEnd(),
  });
});

test("a scope of the system's manager is named as that manager names it", () => {
  const { record, line } = append(openChain(identity), 0, bodies.run);
  const { UNIT, INVOCATION_ID, ...others } = fieldsOf(journalEntry(record, line, "system"));
  expect({ UNIT, INVOCATION_ID }).toEqual({ UNIT: bodies.run.unit, INVOCATION_ID: bodies.run.invocation });
  expect(Object.keys(others).filter((name) => name.startsWith("USER_"))).toEqual([]);
});

test("text from outside adds no field and no line", () => {
  const { record, line } = append(openChain(identity), 0, { ...bodies.refuse, message: "a\nPRIORITY=0\n\nMESSAGE=b" });
  const entry = journalEntry(record, line);
  expect(entry.split("\n").length).toBe(10);
  expect(fieldsOf(entry)["PRIORITY"]).toBe("4");
});

test("every event has a message id of its own", () => {
  const ids = Object.values(MESSAGE_IDS);
  expect(new Set(ids).size).toBe(ids.length);
  for (const id of ids) expect(id).toMatch(/^[0-9a-f]{32}$/);
});
