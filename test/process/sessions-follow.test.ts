import { spawn } from "node:child_process";
import { appendFileSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { AddedLine, ArchiveProblem } from "../../src/archive/archive.ts";
import { openArchive } from "../../src/system/archive/archive.ts";
import { growthOf } from "../../src/system/archive/growth.ts";
import type { SessionId } from "../../src/units/ids.ts";
import { nixgate } from "../support/nixgate.ts";
import { bodies, sessionLines } from "../support/records.ts";
import { writeArchive } from "../support/temporary.ts";
import { waitFor } from "../support/wait-for.ts";
import { NIXGATE } from "../support/workplace.ts";

const TODAY = new Date().toISOString().slice(0, 10);
const START = `${TODAY}T00:00:01Z`;

/** Follows an archive; what it has said so far. */
function follow(directory: string, words: readonly string[] = []) {
  const child = spawn(NIXGATE, ["sessions", "follow", "--log-dir", directory, ...words], {
    stdio: ["ignore", "pipe", "pipe"],
    env: { ...process.env, TZ: "UTC" },
  });
  onTestFinished(() => void child.kill("SIGKILL"));
  let said = "";
  child.stdout.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const ended = new Promise<number | null>((resolve) => child.once("close", resolve));
  return { child, ended, lines: () => said.split("\n").slice(0, -1) };
}
const append = (directory: string, name: string, text: string) => {
  mkdirSync(join(directory, name.split("/")[0] ?? ""), { recursive: true });
  appendFileSync(join(directory, `${name}.jsonl`), text);
};

test("the last records come first, then each one as it is written, also of a team that is new", async () => {
  const early = sessionLines(START);
  const directory = writeArchive({ [`alpha/${TODAY}`]: early.lines.slice(0, 3).join("") });
  const { lines } = follow(directory, ["--lines", "2"]);
  await waitFor("further lines", () => lines().length === 2);
  append(directory, `alpha/${TODAY}`, early.lines[3] ?? "");
  await waitFor("further lines", () => lines().length === 3);
  const beta = sessionLines(START, [{ ...bodies.start, member: undefined }], { team: "beta" });
  append(directory, `beta/${TODAY}`, `${beta.lines[0]?.slice(0, 100)}`);
  append(directory, `alpha/${TODAY}`, early.lines[4] ?? "");
  await waitFor("further lines", () => lines().length === 4);
  append(directory, `beta/${TODAY}`, `${beta.lines[0]?.slice(100)}`);
  await waitFor("further lines", () => lines().length === 5);
  append(directory, `beta/${TODAY}`, `{"torn\n`);
  await waitFor("further lines", () => lines().length === 6);
  const id = early.session.slice(-12);
  expect(lines()).toEqual([
    `${TODAY} 00:00:02  alpha/ci  ${id}  request 1 denied (not-allowlisted): rm -rf /`,
    `${TODAY} 00:00:03  alpha/ci  ${id}  command 2 started by rule allow[0]: nix-store --serve --write`,
    expect.stringMatching(`^${TODAY} 00:00:04  alpha/ci  ${id}  command 2 ended: exit 0 after 9\\.8 s; CPU 3\\.1 s`),
    `${TODAY} 00:00:05  alpha/ci  ${id}  session ended: exit, status 0, 1 command, 1 denied`,
    expect.stringContaining(`  beta  ${beta.session.slice(-12)}  session started: team beta as nix-alpha`),
    expect.stringMatching(/^\(damaged\) torn/),
  ]);
});

test("damage among the last lines is reported at its position", async () => {
  const { lines } = sessionLines(START);
  const directory = writeArchive({ [`alpha/${TODAY}`]: [lines[0], '{"torn\n', lines[1]].join("") });
  const all = follow(directory);
  await waitFor("the last lines", () => all.lines().length === 3);
  expect(all.lines()).toEqual([
    expect.stringContaining("session started"),
    expect.stringMatching(/^\(damaged\) torn/),
    expect.stringContaining("request 1 denied"),
  ]);
});

test("only sessions that match are told, with what began before known from the archive", async () => {
  const denied = sessionLines(START);
  const other = sessionLines(START, [{ ...bodies.start, member: "ada" }, bodies.run, bodies.ran]);
  const directory = writeArchive({
    [`alpha/${TODAY}`]: [...denied.lines.slice(0, 2), ...other.lines.slice(0, 2)].join(""),
  });
  const all = follow(directory, ["--lines", "1", "--member", "ada", "--client", "10.0.0.0/8"]);
  const denials = follow(directory, ["--denied", "--json"]);
  await waitFor("further lines", () => denials.lines().length === 1 && all.lines().length === 1);
  append(directory, `alpha/${TODAY}`, [...denied.lines.slice(2), ...other.lines.slice(2)].join(""));
  await waitFor("further lines", () => denials.lines().length === 4 && all.lines().length === 2);
  expect(all.lines()).toEqual([
    expect.stringMatching(/alpha\/ada .* command 2 started/),
    expect.stringMatching(/alpha\/ada .* command 2 ended/),
  ]);
  expect(denials.lines().map((line) => JSON.parse(line))).toEqual(
    denied.lines.slice(1).map((line) => JSON.parse(line)),
  );
});

test("the tail of a large file is whole lines up to its end, and growth goes on behind them", () => {
  const sessions = Array.from({ length: 60 }, () => sessionLines(START).lines).flat();
  const half = sessions.at(-1)?.slice(0, 50) ?? "";
  const directory = writeArchive({ [`alpha/${TODAY}`]: sessions.slice(0, -1).join("") + half });
  const growth = growthOf(openArchive(directory));
  const unread: ArchiveProblem[] = [];
  const textsOf = (lines: Iterable<AddedLine>) => [...lines].map(({ text }) => text);
  const tail = textsOf(growth.tail(TODAY, (problem) => unread.push(problem)));
  expect(tail.length).toBeGreaterThan(50);
  expect(tail.map((line) => `${line}\n`)).toEqual(sessions.slice(-1 - tail.length, -1));
  append(directory, `alpha/${TODAY}`, sessions.at(-1)?.slice(50) ?? "");
  const added = textsOf(growth.lines(TODAY, (problem) => unread.push(problem))).filter((line) => line !== "");
  expect(added.map((line) => `${line}\n`)).toEqual(sessions.slice(-1));
  expect(unread).toEqual([]);
});

test("text in records cannot reach the terminal raw", async () => {
  const nasty = "\u001b[2J\u202e\u009b";
  const { lines } = sessionLines(START, [{ ...bodies.start, member: nasty, user: nasty }], { team: "alpha" });
  const directory = writeArchive({ [`alpha/${TODAY}`]: lines.join("") });
  for (const words of [[], ["--json"]]) {
    const followed = follow(directory, words);
    await waitFor("further lines", () => followed.lines().length === 1);
    expect(followed.lines()[0]).not.toMatch(/[\p{Cc}\p{Cf}]/u);
  }
});

test("it ends when nobody reads any more", async () => {
  const directory = writeArchive({ [`alpha/${TODAY}`]: sessionLines(START).lines.join("") });
  const { child, ended, lines } = follow(directory);
  await waitFor("further lines", () => lines().length === 5);
  child.stdout.destroy();
  append(directory, `alpha/${TODAY}`, sessionLines(START).lines.join(""));
  expect(await ended).toBe(0);
});

test("an option it cannot obey is a usage error", async () => {
  const { ended } = follow(writeArchive({}), ["--since", "today"]);
  expect(await ended).toBe(64);
});

test.each([["--journal", "/var/log/journal"], ["--merge"]])(
  "%s is refused with what to do instead",
  async (...words) => {
    const { status, stderr } = await nixgate(["sessions", "follow", ...words]);
    expect(status).toBe(64);
    expect(stderr).toContain("journalctl --follow");
  },
);

test("a record of another team in a team's folder is told as damage, and changes nothing of the other team's", async () => {
  const beta = sessionLines(START, undefined, { team: "beta" });
  const forged = sessionLines(START, [{ ...bodies.start, member: "forged" }, bodies.end], {
    ...{ team: "beta", session: beta.session as SessionId },
  });
  const directory = writeArchive({
    [`alpha/${TODAY}`]: forged.lines.join(""),
    [`beta/${TODAY}`]: beta.lines.slice(0, 2).join(""),
  });
  const all = follow(directory);
  const ofBeta = follow(directory, ["--team", "beta", "--json"]);
  await waitFor("the last lines", () => all.lines().length === 4 && ofBeta.lines().length === 2);
  append(directory, `alpha/${TODAY}`, forged.lines[0] ?? "");
  append(directory, `beta/${TODAY}`, beta.lines[2] ?? "");
  await waitFor("further lines", () => all.lines().length === 6 && ofBeta.lines().length === 3);
  const misplaced = "(damaged) misplaced: a session of team beta in the folder of alpha";
  expect(all.lines().filter((line) => line.startsWith("(damaged)"))).toEqual(Array(3).fill(misplaced));
  expect(all.lines().join("")).not.toContain("forged");
  expect(ofBeta.lines().map((line) => `${line}\n`)).toEqual(beta.lines.slice(0, 3));
});
