import { spawn } from "node:child_process";
import { chmodSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { programForOthers } from "../support/for-others.ts";
import { nixgate } from "../support/nixgate.ts";
import { answerOf, startSession } from "../support/run-session.ts";
import { waitFor } from "../support/wait-for.ts";
import { type Workplace, workplace } from "../support/workplace.ts";

const KEY = `SHA256:${"A".repeat(43)}`;
const OTHER = `SHA256:${"B".repeat(43)}`;

const kill = async ({ config }: Workplace, ...words: string[]) => {
  const { status, stdout, stderr } = await nixgate(["sessions", "kill", ...words, "--config-dir", config]);
  return { status, text: `${stdout}`, said: stderr };
};

/** The teams alpha and beta, each with the members ci and eve. */
function place(): Workplace {
  const made = workplace();
  made.edit("policies/alpha.toml", /$/, '\n[[member]]\nname = "eve"\nkeys = []\n');
  const alpha = readFileSync(join(made.config, "policies/alpha.toml"), "utf8");
  writeFileSync(
    join(made.config, "policies/beta.toml"),
    alpha.replace('"alpha"', '"beta"').replace(/^keys = .*/gm, "keys = []"),
  );
  return made;
}

/** A line loop that runs, and its id. */
async function running(here: Workplace, team: string, member: string, key: string) {
  const before = new Set(here.records(team).map(({ session }) => session));
  const child = startSession(here, { team, words: ["--member", member, "--key", key] });
  const id = await waitFor("its start", () => here.records(team).find(({ session }) => !before.has(session))?.session);
  return { child, id };
}

test("--team, --member and --key together select the sessions; without --yes none of them ends", async () => {
  const here = place();
  const wanted = await running(here, "alpha", "eve", KEY);
  const others = [
    await running(here, "alpha", "eve", OTHER),
    await running(here, "alpha", "ci", KEY),
    await running(here, "beta", "eve", KEY),
  ];
  const which = ["--team", "alpha", "--member", "eve", "--key", KEY];
  const shown = await kill(here, ...which);
  expect(shown).toMatchObject({ status: 0, said: "" });
  expect(shown.text).toMatch(
    new RegExp(`\n${wanted.id}  alpha  eve  .+  ${KEY}\n1 session would end: add --yes to end them\n$`),
  );
  for (const { id } of others) expect(shown.text).not.toContain(id);
  expect(JSON.parse((await kill(here, "--member", "eve", "--json")).text).would_end).toHaveLength(3);
  expect((await kill(here, ...which)).text).toContain("1 session would end"); // it still runs

  const answer = answerOf(wanted.child);
  const ended = await kill(here, ...which, "--yes");
  expect(ended).toMatchObject({ status: 0, said: "", text: expect.stringMatching(/\n1 session ended\n$/) });
  expect((await answer).status).toBe(143);
  expect(here.records().filter(({ event }) => event === "session.end")).toMatchObject([
    { session: wanted.id, cause: "killed-by-admin" },
  ]);
  for (const { child } of others) expect(child.exitCode ?? child.signalCode).toBe(null);

  const byKey = JSON.parse((await kill(here, "--key", KEY, "--yes", "--json")).text);
  const ids = (list: readonly { readonly session: string }[]) => list.map(({ session }) => session).sort();
  expect(byKey.not_ended).toEqual([]);
  expect(ids(byKey.ended)).toEqual([others[1]?.id, others[2]?.id].sort());
  expect((await kill(here, "--team", "alpha", "--yes")).text).toContain(`${others[0]?.id}  alpha`);
  expect(await kill(here, "--team", "alpha", "--yes")).toMatchObject({ status: 0, text: "0 sessions ended\n" });
});

test.each([
  [["0", "--team", "alpha"], "cannot be combined"],
  [["0", "--yes"], "--yes needs"],
  [["--key", KEY.slice(0, 20)], "not a whole fingerprint"],
  [["--key", ""], "not a whole fingerprint"],
  [[], "takes one id"],
])("%j is a usage error", async (words, said) => {
  expect(await kill(place(), ...words)).toMatchObject({ status: 64, text: "", said: expect.stringContaining(said) });
});

test.skipIf(process.geteuid?.() !== 0)("another account sees them and may not end them (needs root)", async () => {
  const here = place();
  const { child, id } = await running(here, "alpha", "ci", KEY);
  const team = join(here.log, "alpha");
  for (const path of [here.folder, here.log, team]) chmodSync(path, 0o755);
  for (const file of readdirSync(team)) chmodSync(join(team, file), 0o644);
  const { node, bundle } = programForOthers();
  const words = [bundle, "sessions", "kill", "--team", "alpha", "--yes", "--config-dir", here.config];
  const other = spawn(node, words, { uid: 65_534, gid: 65_534, cwd: "/", stdio: ["ignore", "pipe", "pipe"] });
  const { status, stderr } = await answerOf(other);
  expect({ status, stderr }).toEqual({
    status: 77,
    stderr: expect.stringContaining(`${id} of team alpha: is a session of another account: run it as root`),
  });
  expect(child.exitCode ?? child.signalCode).toBe(null);
  child.kill("SIGKILL");
});
