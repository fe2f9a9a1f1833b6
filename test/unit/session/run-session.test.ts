import { expect, test } from "vitest";
import type { SessionRecord } from "../../../src/record/schema.ts";
import { runSession } from "../../../src/session/run-session.ts";
import { makeSessionId, teamName } from "../../../src/units/ids.ts";

/** A session in which the first look at the host fails with this error. */
async function failing(error: Error) {
  const lines: string[] = [];
  const told: string[] = [];
  const journal: string[] = [];
  const host = { log: { directory: "/log", journald: true, onFailure: "refuse" }, scope: { manager: "none" } };
  const arrival = {
    session: makeSessionId(0, new Uint8Array(10)),
    startedAt: 1_767_657_600_000,
    arrivedAt: 200,
    team: teamName("alpha"),
    member: undefined,
    account: { name: "nix-alpha", uid: 990, home: "/" },
    connection: {},
    request: { mode: "loop" },
    machine: { host: "builder-1", boot: "b" },
    process: { pid: 1, version: "0" },
    holder: "",
    configuration: {
      ok: true,
      directory: "/etc/nixgate",
      host,
      source: undefined,
      policy: { team: "alpha", session: {} },
    },
  };
  const ports = {
    clock: { now: () => 1, monotonic: () => 983.4, after: () => () => undefined },
    client: { tell: (line: string) => void told.push(line) },
    admission: {
      takeSlot: () => {
        throw error;
      },
    },
    records: {
      open: () => ({ append: (line: string) => void lines.push(line), close: () => undefined }),
      copyToJournal: () => undefined,
      tellJournal: (_: string, __: string, message: string) => void journal.push(message),
      flush: async () => 0,
    },
    recovery: { settled: async () => undefined },
  };
  const status = await runSession(arrival as never, ports as never);
  const records = lines.map((line): SessionRecord => JSON.parse(line));
  return { status, told, journal, records, session: arrival.session };
}

test("a bug ends the session with 70, tells the client no more than that, and the journal all", async () => {
  const { status, told, journal, records, session } = await failing(new TypeError("x is no function\u001b[2J"));
  expect(status).toBe(70);
  expect(told).toEqual([`nixgate: this is a bug in nixgate: x is no function\\u{1b}[2J (session ${session})`]);
  expect(journal).toEqual([
    expect.stringMatching(/^a bug in nixgate: TypeError: x is no function[\s\S]*run-session\.test/),
  ]);
  expect(records.map(({ event }) => event)).toEqual(["session.start", "session.end"]);
  const [came, left] = records.map(({ time }) => Date.parse(time));
  expect(left! - came!).toBe(783);
  expect(records.at(-1)).toMatchObject({ exit: 70, cause: "internal", commands: 0, denied: 0, wall_ms: 783 });
});

test.each([
  ["EMFILE", "this account may open no more files (nofile of limits.conf(5))"],
  ["ENFILE", "this host can open no more files"],
  ["ENOMEM", "this host has no memory left for a session"],
])("%s is no bug: 69, in one line and in the journal without a trace", async (code, words) => {
  const { status, told, journal, records, session } = await failing(Object.assign(new Error("open"), { code }));
  expect(status).toBe(69);
  expect(told).toEqual([`nixgate: ${words} (session ${session})`]);
  expect(journal).toEqual([words]);
  expect(records.at(-1)).toMatchObject({ exit: 69, cause: "internal" });
});
