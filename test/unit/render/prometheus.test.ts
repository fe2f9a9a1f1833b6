import { expect, test } from "vitest";
import { DAMAGE_MAX } from "../../../src/archive/bounds.ts";
import { LABELS_MAX, OTHER, tallyFiles } from "../../../src/archive/statistics/team-counters.ts";
import { renderPrometheus } from "../../../src/render/prometheus.ts";
import { archiveOf } from "../../support/archive-in-memory.ts";
import { bodies, sessionLines } from "../../support/records.ts";

test("a host's name ends no label and moves no cursor", () => {
  const host = 'a"b\\c\nd\u001b[2J\u202ee\u{e0041}';
  const { lines } = sessionLines("2026-01-05T03:00:00Z", undefined, { host });
  const { files } = archiveOf({ "alpha/2026-01-05": lines.join("") }).scan();
  const text = renderPrometheus(
    tallyFiles(
      files,
      () => false,
      { since: "2026-01-05", byHost: true },
      () => undefined,
    ),
  );
  expect(text).toMatch(/^[\x20-\x7e\n]*$/);
  const labels = String.raw`{team="alpha",host="a\"b\\c\\u{a}d\\u{1b}[2J\\u{202e}e\\u{e0041}"}`;
  expect(text).toContain(`nixgate_sessions_total${labels} 1\n`);
});

const tally = (texts: Readonly<Record<string, string>>) => {
  const said: string[] = [];
  const { files } = archiveOf(texts).scan();
  const tallies = tallyFiles(
    files,
    () => true,
    { since: "2026-01-05", byHost: true },
    ({ what }) => said.push(what),
  );
  return { said, tallies: [...tallies].map(([key, { sessions, running }]) => ({ ...key, sessions, running })) };
};

test("hosts of a team and teams beyond the bound have one label together", () => {
  const oneOf = (team: string, host: string) =>
    sessionLines("2026-01-05T03:00:00Z", [bodies.start], { team, host }).lines;
  const many = Array.from({ length: LABELS_MAX + 7 }, (_, index) => index);
  const { tallies } = tally({
    "alpha/2026-01-05": many.flatMap((index) => oneOf("alpha", `h${index}`)).join(""),
    "beta/2026-01-05": oneOf("beta", "own").join(""),
    ...Object.fromEntries(many.map((index) => [`t${index}/2026-01-05`, oneOf(`t${index}`, "own").join("")])),
  });
  const hosts = tallies.filter(({ team }) => team === "alpha");
  expect(hosts).toHaveLength(LABELS_MAX + 1);
  expect(hosts.at(-1)).toEqual({ team: "alpha", host: OTHER, sessions: 7, running: 7 });
  expect(tallies).toContainEqual({ team: "beta", host: "own", sessions: 1, running: 1 });
  expect(tallies.at(-1)).toEqual({ team: OTHER, host: "own", sessions: 9, running: 9 });
});

test("a file of open sessions, or of damage, is not read beyond the bound, and the other team's counts", () => {
  const [start = ""] = sessionLines("2026-01-05T03:00:00Z", [{ ...bodies.start, member: "x".repeat(20_000) }]).lines;
  const named = (index: number) => start.replace(/[0-9a-f]{12}","seq"/, `${String(index).padStart(12, "0")}","seq"`);
  const beta = sessionLines("2026-01-05T03:00:00Z", undefined, { team: "beta" }).lines.join("");
  const open = Array.from({ length: 3400 }, (_, index) => named(index)).join("");
  const damaged = `${"x\n".repeat(DAMAGE_MAX + 1)}${start}`;
  const { said, tallies } = tally({ "alpha/2026-01-05": open, "alpha/2026-01-06": damaged, "beta/2026-01-05": beta });
  expect(said).toEqual([
    expect.stringContaining(`more than ${DAMAGE_MAX} lines are damaged`),
    expect.stringContaining("bytes of sessions without an end"),
  ]);
  expect(tallies.find(({ team }) => team === "alpha")?.sessions ?? 0).toBeLessThan(3400);
  expect(tallies.find(({ team }) => team === "beta")?.sessions).toBe(1);
});
