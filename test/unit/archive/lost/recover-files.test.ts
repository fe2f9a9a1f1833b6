import { expect, test } from "vitest";
import type { DayFile } from "../../../../src/archive/archive.ts";
import type { RecoverPorts } from "../../../../src/archive/lost/recover.ts";
import { recoverFiles } from "../../../../src/archive/lost/recover-files.ts";
import { RecordError } from "../../../../src/record/error.ts";
import { archiveOf } from "../../../support/archive-in-memory.ts";
import { bodies, sessionLines } from "../../../support/records.ts";

const NOW = Date.parse("2026-01-10T12:00:00Z");
const lost = (team: string, count = 1) =>
  Array.from({ length: count }, () => sessionLines("2026-01-05T03:12:00Z", [bodies.start], { team }).lines[0]).join("");

interface Slow {
  /** What the look for one session's scopes takes, in milliseconds, by team. */
  readonly scopes?: Readonly<Record<string, number>>;
  /** The team whose locks another process holds; waiting for one takes 10 s. */
  readonly holds?: string;
}

/** Runs a recovery over texts, with a clock that only the ports advance. */
async function recovery(texts: Readonly<Record<string, string>>, { scopes = {}, holds }: Slow = {}) {
  let elapsed = 0;
  const done: string[] = [];
  const read: number[] = [];
  const ports: RecoverPorts = {
    isGone: () => true,
    endLeftoverScopes: async ({ start }) => {
      elapsed += scopes[start.team] ?? 0;
      return { stopped: [], leftovers: new Map() };
    },
    openAlone: async (file: DayFile, waits) => {
      if (file.team !== holds)
        return { append: () => void done.push(`${file.team}/${file.day}`), close: () => undefined };
      if (waits) elapsed += 10_000;
      throw new RecordError("E_LOG_WRITE", `${file.path}: another process holds its lock`);
    },
    copyToJournal: () => undefined,
    copies: async (some) => {
      read.push(some.length);
      return new Map();
    },
    now: () => NOW,
    elapsed: () => elapsed,
    monotonic: () => undefined,
  };
  const { recovered, failed, notes } = await recoverFiles(archiveOf(texts).scan().files, ports);
  return { recovered, failed: failed.map(({ message }) => message), notes, done, read, elapsed };
}

test("a team that holds the locks of its files delays itself and nobody else", async () => {
  const held = Object.fromEntries([1, 2, 3, 4, 5].map((day) => [`alpha/2026-01-0${day}`, lost("alpha")]));
  const { done, failed, elapsed } = await recovery({ ...held, "beta/2026-01-05": lost("beta") }, { holds: "alpha" });
  expect(done).toEqual(["beta/2026-01-05"]);
  expect(failed).toHaveLength(5);
  expect(elapsed).toBe(10_000);
});

test("teams take turns, and a team with many lost sessions is left for the next run, with a message", async () => {
  const texts = {
    "alpha/2026-01-06": lost("alpha", 40),
    "alpha/2026-01-05": lost("alpha", 3),
    "beta/2026-01-04": lost("beta", 2),
  };
  const { recovered, failed, done, elapsed } = await recovery(texts, { scopes: { alpha: 1000 } });
  expect(recovered.filter(({ team }) => team === "beta")).toHaveLength(2);
  expect(done.indexOf("beta/2026-01-04")).toBeLessThan(40);
  expect(failed).toEqual([expect.stringMatching(/^9 sessions and 1 file of team alpha are left for the next run$/)]);
  expect(elapsed).toBe(31_000);
});

test("a team's second file comes after the others' first ones", async () => {
  const two = { "alpha/2026-01-06": lost("alpha"), "alpha/2026-01-05": lost("alpha") };
  const { done } = await recovery({ ...two, "beta/2026-01-04": lost("beta") });
  expect(done).toEqual(["alpha/2026-01-06", "beta/2026-01-04", "alpha/2026-01-05"]);
});

test("all teams together have a bounded time", async () => {
  const teams = Array.from({ length: 20 }, (_, at) => `team-${String(at).padStart(2, "0")}`);
  const texts = Object.fromEntries(teams.map((team) => [`${team}/2026-01-05`, lost(team, 100)]));
  const { elapsed, failed } = await recovery(texts, {
    scopes: Object.fromEntries(teams.map((team) => [team, 10_000])),
  });
  expect(elapsed).toBeLessThan(320_000);
  expect(failed).toContain("1 file of team team-19 is left for the next run");
});

test("the journal is read once for a hundred sessions", async () => {
  const { read, recovered } = await recovery({ "alpha/2026-01-05": lost("alpha", 250) });
  expect(read).toEqual([100, 100, 50]);
  expect(recovered).toHaveLength(250);
});

test("files of days after tomorrow are left out, with a message", async () => {
  const days = ["2026-01-10", "2026-01-11", "2026-01-12", "2026-12-01"];
  const { done, notes, failed } = await recovery(
    Object.fromEntries(days.map((day) => [`alpha/${day}`, lost("alpha")])),
  );
  expect(done.toSorted()).toEqual(["alpha/2026-01-10", "alpha/2026-01-11"]);
  expect(notes).toEqual(["2 files of team alpha left out: dated after tomorrow"]);
  expect(failed).toEqual([]);
});
