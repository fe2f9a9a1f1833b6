import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nixgate } from "../support/nixgate.ts";
import { answerOf, session, startSession } from "../support/run-session.ts";
import { waitFor } from "../support/wait-for.ts";
import { type Workplace, workplace } from "../support/workplace.ts";

const run = async (place: Workplace, ...words: string[]) => {
  const { status, stdout, stderr } = await nixgate([...words, "--config-dir", place.config]);
  return { status, text: stdout.toString(), said: stderr.toString() };
};
const close = (place: Workplace, ...words: string[]) =>
  run(place, "close", "--message", "new disks, back at six", ...words);
const ask = (place: Workplace, words: readonly string[] = []) =>
  session(place, { request: "nix-daemon --stdio", input: "never read", words });

test("new sessions get 75 and the text, whatever they ask for; all of it is on record, and open ends it", async () => {
  const place = workplace();
  expect(await close(place)).toMatchObject({ status: 0, text: expect.stringContaining("new disks, back at six") });
  const { status, stderr, stdout } = await ask(place);
  expect([status, stdout.toString()]).toEqual([75, ""]);
  expect(stderr).toMatch(/^nixgate: this builder is closed: new disks, back at six \(session [0-9a-f-]{36}\)\n$/);
  expect((await session(place, { input: "echo started\n" })).stdout.toString()).toBe("");
  expect((await ask(place, ["--member", "nobody"])).status).toBe(75);
  expect(place.records().filter(({ event }) => event === "session.refuse")).toMatchObject(
    Array.from({ length: 3 }, () => ({ reason: "closed", message: "this builder is closed: new disks, back at six" })),
  );

  expect((await run(place, "open")).text).toBe("the builder is open again\n");
  expect((await session(place, { input: "echo started\n" })).stdout.toString()).toBe("started\n");
  expect(place.records("_host")).toMatchObject([
    { event: "host.close", message: "new disks, back at six", uid: process.getuid?.() },
    { event: "host.open", uid: process.getuid?.() },
  ]);
  expect((await run(place, "open")).text).toBe("the builder was not closed\n");
  expect(place.records("_host")).toHaveLength(2);
  expect((await nixgate(["sessions", "verify", "--no-journal", "--log-dir", place.log])).status).toBe(0);
});

test("one team is closed alone, and open prints the closures that remain", async () => {
  const place = workplace();
  const alpha = readFileSync(`${place.config}/policies/alpha.toml`, "utf8");
  writeFileSync(
    `${place.config}/policies/beta.toml`,
    alpha.replace('"alpha"', '"beta"').replace(/\[\[member[\s\S]*/, ""),
  );
  expect(await close(place, "--team", "gamma")).toMatchObject({
    status: 64,
    said: expect.stringContaining("no policy"),
  });
  expect((await close(place, "--team", "alpha")).status).toBe(0);
  expect((await ask(place)).stderr).toContain("closed to team alpha: new disks");
  expect((await session(place, { team: "beta", input: "echo started\n" })).stdout.toString()).toBe("started\n");
  expect((await run(place, "open")).text).toBe(
    "the builder was not closed\nstill closed: team alpha: new disks, back at six (nixgate open --team alpha)\n",
  );
  expect((await run(place, "open", "--team", "alpha")).text).toBe("team alpha is open again\n");
});

test("a running session continues to its end", async () => {
  const place = workplace();
  place.allow("wait", ["/usr/bin/head", "-c", "10"]);
  const running = startSession(place, { request: "wait" });
  await waitFor("its start", () => place.records().some(({ event }) => event === "command.start"));
  const loop = startSession(place, {});
  const firstAnswer = new Promise((answered) => loop.stdout?.once("data", answered));
  loop.stdin?.write("echo started\n");
  await firstAnswer;
  await close(place);
  loop.stdin?.end("echo started\n");
  expect((await answerOf(loop)).status).toBe(0);
  running.stdin?.write("still here");
  const { stdout, status } = await answerOf(running);
  expect([stdout.toString(), status]).toEqual(["still here", 0]);
});

test("sessions top and render prometheus show it", async () => {
  const place = workplace();
  await close(place);
  await close(place, "--team", "alpha");
  const { closed } = JSON.parse((await run(place, "sessions", "top", "--json")).text);
  expect(closed).toEqual([{ text: "new disks, back at six" }, { team: "alpha", text: "new disks, back at six" }]);
  expect((await run(place, "sessions", "top", "--once")).text).toContain("closed to all teams: new disks");
  const metrics = async () => (await run(place, "render", "prometheus")).text;
  expect(await metrics()).toContain('nixgate_closed 1\nnixgate_closed{team="alpha"} 1\n');
  await run(place, "open");
  await run(place, "open", "--team", "alpha");
  expect(await metrics()).toContain("nixgate_closed 0\n");
  expect((await nixgate(["render", "prometheus", "--log-dir", place.log])).stdout.toString()).not.toContain("closed");
});

test("a closure written by hand closes and is escaped, and an untrusted one closes too", async () => {
  const place = workplace();
  const folder = join(place.config, "closed");
  mkdirSync(folder, { mode: 0o755 });
  const file = join(folder, "_host");
  writeFileSync(file, `\u001b[31mred\u202e${"x".repeat(600)}\nsecond line\n`);
  const { status, stderr } = await ask(place);
  expect(status).toBe(75);
  expect(stderr).toContain("closed: \\u{1b}[31mred\\u{202e}xxx");
  expect(stderr.length).toBeLessThan(620);
  expect(stderr).not.toContain("second");
  for (const spoil of [
    () => writeFileSync(file, ""),
    () => chmodSync(file, 0o666),
    () => {
      rmSync(file);
      mkdirSync(file);
    },
  ]) {
    spoil();
    expect((await ask(place)).stderr).toContain("this builder is closed; try again later");
  }
});

test("a log that cannot be written keeps it closed: closing comes first, opening last", async () => {
  const place = workplace();
  const alone = join(place.log, "_host");
  writeFileSync(alone, "in the way");
  expect((await close(place)).status).toBe(73);
  expect((await ask(place)).status).toBe(75);
  expect((await run(place, "open")).status).toBe(73);
  expect((await ask(place)).status).toBe(75);
  rmSync(alone);
  expect((await run(place, "open")).status).toBe(0);
});

test.each([
  [[], "--message TEXT is missing"],
  [["--message", " "], "--message TEXT is missing"],
  [["--message", "a\nb"], "control character"],
  [["--message", "x".repeat(501)], "longer than 500"],
  [["--message", "x", "--team", "../alpha"], "not the name of a team"],
])("close %j is turned down", async (words, said) => {
  const place = workplace();
  expect(await run(place, "close", ...words)).toMatchObject({ status: 64, said: expect.stringContaining(said) });
  expect((await run(place, "open")).text).toContain("was not closed");
});
