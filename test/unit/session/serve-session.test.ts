import { expect, test } from "vitest";
import type { HostConfig } from "../../../src/policy/policy.ts";
import { hostConfig } from "../../../src/policy/schema/defaults.ts";
import type { SessionRecord } from "../../../src/record/schema.ts";
import { serveSession } from "../../../src/session/serve-session.ts";
import { fakePorts, incomingSession, readyConfiguration, SESSION_ID, STILL } from "../../support/fake-ports.ts";

/** A session in which the first look at the host fails with this error. */
async function failing(error: Error, messages: HostConfig["messages"] = {}) {
  const settings = hostConfig({ schema: 1 });
  const incoming = incomingSession({ arrived: { startedAt: 1_767_657_600_000, arrivedAt: 200 } });
  const host = {
    log: { ...settings.log, journald: true, onFailure: "refuse" },
    scope: { ...settings.scope },
    messages,
  } as const;
  const { ports, told, lines, journal } = fakePorts({
    clock: { ...STILL, now: () => 1, monotonic: () => 983.4 },
    newSessionId: () => SESSION_ID,
  });
  const takeSlot = () => {
    throw error;
  };
  const failing = { ...ports, admission: { ...ports.admission, takeSlot } };
  const status = await serveSession(incoming, readyConfiguration({ host }), () => failing);
  const records = lines.map((line): SessionRecord => JSON.parse(line));
  return { status, told, journal, records, session: SESSION_ID };
}

test("a bug ends the session with 70, tells the client no more than that, and the journal all", async () => {
  const { status, told, journal, records, session } = await failing(new TypeError("x is no function\u001b[2J"));
  expect(status).toBe(70);
  expect(told).toEqual([`nixgate: this is a bug in nixgate: x is no function\\u{1b}[2J (session ${session})`]);
  expect(journal).toEqual([
    expect.stringMatching(/^a bug in nixgate: TypeError: x is no function[\s\S]*serve-session\.test/),
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

test("the host's contact ends the line, and cannot reorder or break it", async () => {
  const { told, session } = await failing(new TypeError("x"), { contact: "ask \u202ebuilders\u2028now" });
  expect(told).toEqual([
    `nixgate: this is a bug in nixgate: x (session ${session}); contact: ask \\u{202e}builders\\u{2028}now`,
  ]);
});
