import { expect, test } from "vitest";
import { configure, configureRunning } from "../../../src/session/configuration.ts";
import type { Return } from "../../../src/session/supervise.ts";
import { supervise } from "../../../src/session/supervise.ts";
import { configFolder, files, HOST } from "../../support/config-folder.ts";
import { bodies, sessionLines } from "../../support/records.ts";

const POLICY = 'schema = 1\nteam = "alpha"\n[session]\nclient_gone_grace = "7s"\n';

test("a session that runs on over a restart of the supervisor goes by its policy, also while the builder is closed", async () => {
  const directory = configFolder({ "nixgate.toml": HOST, "policies/alpha.toml": POLICY, "closed/_host": "later\n" });
  const [start, begun] = sessionLines(Date.now(), [bodies.start, bodies.run]).lines.map((line) => JSON.parse(line));
  let grace: number | undefined;
  const back: Return = {
    resumed: { lost: { start, last: begun, open: new Map([[2, begun]]), commands: 1, denied: 0 }, begun },
    open(_, clientGoneGrace) {
      grace = clientGoneGrace;
      throw new Error("far enough");
    },
    end: async () => undefined,
  };
  await supervise({
    configure: (team, member) => configure(files, directory, team, member),
    configureRunning: (team, member) => configureRunning(files, directory, team, member),
    visits: ({ return: comesBack }) => expect(comesBack(back)).rejects.toThrow("far enough"),
  });
  expect(grace).toBe(7000);
});
