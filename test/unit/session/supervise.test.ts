import { expect, test } from "vitest";
import { NO_LIMIT_EVENTS } from "../../../src/ending/limit-events.ts";
import type { CommandTerms } from "../../../src/scope/plan.ts";
import { configure, configureRunning } from "../../../src/session/configuration.ts";
import { resumeSession } from "../../../src/session/resume-session.ts";
import type { ResumableSession } from "../../../src/session/supervise.ts";
import { superviseSessions } from "../../../src/session/supervise.ts";
import { configFolder, files, HOST } from "../../support/config-folder.ts";
import { fakePorts, fakeScope, readyConfiguration } from "../../support/fake-ports.ts";
import { bodies, sessionLines } from "../../support/records.ts";

const POLICY = 'schema = 1\nteam = "alpha"\n[session]\nclient_gone_grace = "7s"\n';

test("a session that runs on over a restart of the supervisor goes by its policy, also while the builder is closed", async () => {
  const directory = configFolder({ "nixgate.toml": HOST, "policies/alpha.toml": POLICY, "closed/_host": "later\n" });
  const [start, begun] = sessionLines(Date.now(), [bodies.start, bodies.run]).lines.map((line) => JSON.parse(line));
  let grace: number | undefined;
  const resumable: ResumableSession = {
    resumed: { lost: { start, last: begun, open: new Map([[2, begun]]), commands: 1, denied: 0 }, begun },
    reopen(_, clientGoneGrace) {
      grace = clientGoneGrace;
      throw new Error("far enough");
    },
    end: async () => undefined,
  };
  await superviseSessions({
    configure: (forced) => configure({ files, directory }, forced),
    configureRunning: (forced) => configureRunning({ files, directory }, forced),
    sessions: ({ resume }) => expect(resume(resumable)).rejects.toThrow("far enough"),
  });
  expect(grace).toBe(7000);
});

test("a resumed command is watched by its record: no plan is made, and the limit that it hits is told", async () => {
  const [start, begun] = sessionLines(Date.now(), [bodies.start, bodies.run]).lines.map((line) => JSON.parse(line));
  const resumed = { lost: { start, last: begun, open: new Map([[2, begun]]), commands: 1, denied: 0 }, begun };
  const { ports, told, lines } = fakePorts();
  const scope = fakeScope({
    begunAt: 0,
    exited: Promise.resolve({ signal: "SIGKILL" }),
    usage: () => ({ oom_kills: 1, memory_peak_bytes: 64 }),
    limitEvents: () => ({ ...NO_LIMIT_EVENTS, memory: { own: 0, team: 1, ancestor: 0 } }),
  });
  let terms: CommandTerms | undefined;
  const status = await resumeSession(resumed, readyConfiguration(), (found) => {
    terms = found;
    return { scope, ports };
  });
  expect(status).toBe(137);
  expect(terms?.argv).toEqual(begun.argv);
  expect(told).toEqual([expect.stringContaining(`(session ${start.session})`)]);
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { event: "command.end", n: begun.n, seq: 2, cause: "oom", limit_of: "team" },
    { event: "session.end", seq: 3, exit: 137, commands: 1, cause: "oom" },
  ]);
});
