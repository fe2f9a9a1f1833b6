import { describe, expect, test } from "vitest";
import type { Exit } from "../../../../src/ending/ending.ts";
import type { CustomRule } from "../../../../src/policy/policy.ts";
import { SESSION } from "../../../../src/policy/schema/defaults.ts";
import type { RecordBody } from "../../../../src/record/schema.ts";
import type { SessionRequest } from "../../../../src/session/incoming-session.ts";
import type { Interruption, NextLine } from "../../../../src/session/ports.ts";
import { serveRequests } from "../../../../src/session/requests/serve-requests.ts";
import { ScopeUnavailable } from "../../../../src/session/scope-unavailable.ts";
import {
  fakeClient,
  fakeLog,
  fakePorts,
  fakeScope,
  fakeSession,
  incomingSession,
  readyConfiguration,
  SESSION_ID,
  STILL,
} from "../../../support/fake-ports.ts";

const ALLOWED = ["copy", "fail", "crash"];
const EXITS: Readonly<Record<string, Exit>> = { copy: { code: 0 }, fail: { code: 7 }, crash: { signal: "SIGSEGV" } };

const line = (text: string): NextLine => ({ kind: "line", bytes: Buffer.from(text) });
const end = (text = ""): NextLine => ({ kind: "end", bytes: Buffer.from(text) });
const lines = (...texts: string[]) => [...texts.map(line), end()];
const command = (text: string): SessionRequest => ({ mode: "command", bytes: Buffer.from(text) });

/**
 * Serves what comes; a client that sends no more stays.
 * @param interruption what happens when the client is waited for and nothing comes
 */
async function serve(
  coming: readonly NextLine[],
  {
    request = { mode: "loop" } as SessionRequest,
    rules = {},
    interruption = undefined as Interruption | undefined,
    scope = true,
    gone = false,
  } = {},
) {
  const stream = [...coming];
  const story: string[] = [];
  const records: RecordBody[] = [];
  const told: string[] = [];
  const asked: unknown[] = [];
  let watching = 0;
  const client = fakeClient(told, {
    isGone: () => gone,
    answerStarted: () => void story.push("started"),
    watch(callback) {
      watching += 1;
      if (stream.length === 0 && interruption) setImmediate(callback, interruption);
      return () => {
        watching -= 1;
      };
    },
  });
  const { ports } = fakePorts({
    client,
    clock: {
      ...STILL,
      after(_, callback) {
        const timer = setTimeout(callback);
        return () => clearTimeout(timer);
      },
    },
    requests: {
      next(bounds) {
        asked.push(bounds);
        const next = stream.shift();
        return next ? Promise.resolve(next) : new Promise(() => undefined);
      },
    },
    scopes: {
      async open({ argv: [program] }) {
        if (!scope) throw new ScopeUnavailable("no bus");
        const name = program.slice("/bin/".length);
        story.push(name);
        return fakeScope({ exited: Promise.resolve(EXITS[name] as Exit) });
      },
    },
  });
  const allow = ALLOWED.map((name): CustomRule => {
    return { kind: "custom", name: `allow ${name}`, environment: {}, request: [name], run: [`/bin/${name}`] };
  });
  const policy = { description: "builds", allow, session: { ...SESSION, ...rules } };
  const session = fakeSession({
    incoming: incomingSession({ request }),
    configuration: readyConfiguration({ policy }),
    log: fakeLog((body) => void records.push(body)),
    ports,
  });
  const outcome = await serveRequests(session);
  return { outcome, story, records, told, asked, watching, unread: stream.length };
}

describe("the line loop", () => {
  test("answers echo started, as often as it is asked", async () => {
    const { outcome, story, records } = await serve(lines("echo started", "echo started"));
    expect(story).toEqual(["started", "started"]);
    expect(outcome).toEqual({ exit: 0, commands: 0, denied: 0, cause: "exit" });
    expect(records).toEqual([]);
  });

  test("runs one command after the other, and counts them among the requests", async () => {
    const { story, records, outcome } = await serve(lines("copy", "echo started", "fail"));
    expect(story).toEqual(["copy", "started", "fail"]);
    expect(records.map((record) => [record.event, "n" in record && record.n])).toEqual([
      ["command.start", 1],
      ["command.end", 1],
      ["command.start", 3],
      ["command.end", 3],
    ]);
    expect(outcome.commands).toBe(2);
  });

  test("asks for each line with the bounds of the policy, and does not go on watching the client", async () => {
    const { asked, watching } = await serve(lines("echo started"), { rules: { lineMaxBytes: 99, readTimeout: 1 } });
    // whoever sends no first line is greeted, and only then
    const greeting = expect.stringMatching(/^nixgate: you are of team alpha \(builds\); .*\(session [0-9a-f-]{36}\)$/);
    expect(asked).toEqual([
      { maxBytes: 99, timeout: 1, greeting },
      { maxBytes: 99, timeout: 1 },
    ]);
    expect(watching).toBe(0);
  });

  test.each([
    ["nothing", [], 0, "exit"],
    ["an answer alone", ["echo started"], 0, "exit"],
    ["a success", ["fail", "copy"], 0, "exit"],
    ["a failure", ["copy", "fail"], 7, "exit"],
    ["a crash, and an answer behind it", ["crash", "echo started"], 139, "signal"],
  ])("exits at its end with the last command's status: %s", async (_, texts, exit, cause) => {
    const { outcome } = await serve(lines(...texts));
    expect(outcome).toMatchObject({ exit, cause, denied: 0 });
  });

  test("ends with the command of an exec, and reads nothing behind it", async () => {
    const { outcome, story, unread } = await serve(lines("copy", "exec fail", "copy"));
    expect(story).toEqual(["copy", "fail"]);
    expect(outcome).toEqual({ exit: 7, commands: 2, denied: 0, cause: "exit" });
    expect(unread).toBe(2);
  });

  test.each([
    ["client-gone", 129, "ended because its client no longer reads"],
    ["killed-by-admin", 143, "ended by the administrator"],
  ] as const)("ends when it waits for a line, and says why: %s, with %i", async (interruption, exit, words) => {
    const { outcome, records, told, watching } = await serve([line("copy")], { interruption });
    expect(outcome).toEqual({ exit, commands: 1, denied: 0, cause: interruption });
    expect(records.at(-1)?.event).toBe("command.end");
    expect(told).toEqual([expect.stringContaining(`nixgate: ${words} (session `)]);
    expect(watching).toBe(0);
  });

  test("is a session that a signal ended, where one ended the process that reads a line", async () => {
    const { outcome } = await serve([line("copy"), { kind: "killed", bytes: new Uint8Array(0) }]);
    expect(outcome).toMatchObject({ exit: 143, cause: "signal" });
  });

  test.each([
    ["its client left", false, 0, "exit"],
    ["systemd ends sshd and nixgate one after the other", true, 143, "killed-by-admin"],
  ])("looks for a signal where the stream ends because sshd is gone: %s", async (_, gone, exit, cause) => {
    const { outcome, watching } = await serve(lines("copy"), { gone, interruption: "killed-by-admin" });
    expect(outcome).toMatchObject({ exit, cause });
    expect(watching).toBe(0);
  });
});

describe("the session ends with what is denied", () => {
  test.each<[string, NextLine, string, number, string]>([
    ["a request that is on no list", line("id"), "not-allowlisted", 77, "the request is not on this team's list"],
    ["an exec of echo started", line("exec echo started"), "not-allowlisted", 77, "the request is not on this"],
    ["an empty line", line(""), "malformed", 65, "the request is empty"],
    ["a line that never ends", { kind: "too-long", bytes: Buffer.from("x") }, "too-long", 65, "longer than 4096 bytes"],
    ["a client that says nothing", { kind: "timeout", bytes: Buffer.from("x") }, "read-timeout", 65, "30 seconds"],
    ["a line that is not finished", end("x"), "malformed", 65, "the last request was not finished"],
  ])("%s", async (_, bad, reason, exit, message) => {
    const { outcome, story, records, told, unread } = await serve([line("copy"), bad, ...lines("copy")]);
    expect(outcome).toEqual({ exit, commands: 1, denied: 1, cause: "exit" });
    expect(story).toEqual(["copy"]);
    expect(unread).toBe(2);
    expect(records.at(-1)).toMatchObject({
      ...{ event: "command.deny", n: 2, reason, rule: null },
      request: bad.bytes.toString(),
    });
    expect(told).toEqual([expect.stringContaining(message)]);
    expect(told[0]).toMatch(new RegExp(`^nixgate: .* \\(session ${SESSION_ID}\\)$`));
  });

  test("a request more than max_commands, where an answer is one too", async () => {
    const { outcome, story, records, told } = await serve(lines("echo started", "copy", "copy"), {
      rules: { maxCommands: 2 },
    });
    expect(story).toEqual(["started", "copy"]);
    expect(outcome).toEqual({ exit: 77, commands: 1, denied: 1, cause: "exit" });
    expect(records.at(-1)).toMatchObject({ event: "command.deny", n: 3, reason: "too-many-commands" });
    expect(told).toEqual([expect.stringContaining("at most 2 requests")]);
  });

  test("max_commands requests are served, and then the end of the stream is no request", async () => {
    const { outcome } = await serve(lines("copy", "copy"), { rules: { maxCommands: 2 } });
    expect(outcome).toMatchObject({ exit: 0, commands: 2, denied: 0 });
  });
});

describe("a session with one request", () => {
  test.each([
    ["copy", 0, "exit"],
    ["fail", 7, "exit"],
    ["crash", 139, "signal"],
  ])("ends with its command: %s", async (text, exit, cause) => {
    const { outcome, asked } = await serve(lines("copy"), { request: command(text) });
    expect(outcome).toEqual({ exit, commands: 1, denied: 0, cause });
    expect(asked).toEqual([]);
  });

  test.each([
    ["not-allowlisted", 77, "echo started"],
    ["malformed", 65, "'"],
    ["too-long", 65, "x".repeat(4097)],
  ])("is denied what is %s, with %i", async (reason, exit, text) => {
    const { outcome, records, story } = await serve([], { request: command(text) });
    expect(outcome).toEqual({ exit, commands: 0, denied: 1, cause: "exit" });
    expect(records).toEqual([expect.objectContaining({ event: "command.deny", n: 1, reason })]);
    expect(story).toEqual([]);
  });
});

test("where a command has no scope the session ends, whatever comes behind it", async () => {
  const { outcome, unread } = await serve(lines("copy", "copy"), { scope: false });
  expect(outcome).toEqual({ exit: 69, commands: 1, denied: 0, cause: "scope-failed" });
  expect(unread).toBe(2);
});
