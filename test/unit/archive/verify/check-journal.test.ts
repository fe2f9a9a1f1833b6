import { describe, expect, test } from "vitest";
import type { DayFile } from "../../../../src/archive/archive.ts";
import { closing, unendedIn } from "../../../../src/archive/lost/unended.ts";
import { checkJournal } from "../../../../src/archive/verify/check-journal.ts";
import { journalCopy } from "../../../../src/archive/verify/journal-copy.ts";
import { verifyFile } from "../../../../src/archive/verify/verify.ts";
import { archiveOf } from "../../../support/archive-in-memory.ts";
import { sessionLines } from "../../../support/records.ts";

const DAY = "2026-01-05";
const NOW = Date.parse(`${DAY}T12:00:00Z`);
const [OWNER, STRANGER] = [990, 1234];
const early = sessionLines(`${DAY}T03:00:00Z`);
const late = sessionLines(`${DAY}T04:00:00Z`);

interface Sent {
  readonly line: string;
  readonly uid?: number;
  readonly received?: string;
}

/**
 * Files with these lines, a journal with these copies: what is found, as `kind session`.
 * @param later lines that are written behind them while the check runs
 */
function compare(
  inFile: readonly string[],
  sent: readonly (string | Sent)[],
  {
    owner = OWNER,
    pruned = false,
    hosts = undefined as "files" | undefined,
    later = [] as readonly string[],
    ownerOf = (team: string): number | undefined => (team === "alpha" ? owner : undefined),
  } = {},
) {
  const filesWith = (lines: readonly string[]) => archiveOf({ [`alpha/${DAY}`]: lines.join("") }).scan().files;
  const grown = filesWith([...inFile, ...later]);
  let current = filesWith(inFile);
  const files = current.map((file, at): DayFile => {
    return { ...file, owner: () => owner, lines: (part) => current[at]!.lines(part) };
  });
  const read = (file: DayFile, visit: Parameters<typeof verifyFile>[3]) => [
    ...verifyFile(file, () => true, { sessions: 0, records: 0, running: 0 }, visit),
  ];
  const check = checkJournal({
    now: NOW,
    hosts,
    files,
    read,
    isPruned: () => pruned,
    ownerOf,
    isCutShort: () => false,
    pathOf: ({ team, day }) => `/log/${team}/${day}.jsonl`,
  });
  for (const file of files) read(file, (record, _, line) => check.seen(file, record, line));
  current = grown;
  for (const one of sent) {
    const { line, uid = OWNER, received }: Sent = typeof one === "string" ? { line: one } : one;
    const micros = String((Date.parse(received ?? JSON.parse(line).time) + 3) * 1000);
    const copy = journalCopy(
      JSON.stringify({ NIXGATE_RECORD: line.trimEnd(), _UID: String(uid), __REALTIME_TIMESTAMP: micros }),
    );
    if (copy) check.copied(copy);
  }
  const found = [...check.removed(), ...files.flatMap((file) => [...check.uncopied(file)])];
  return found.map(({ kind, session }) => `${kind} ${session === early.session ? "early" : "late"}`);
}

const both = [...early.lines, ...late.lines];

test("copies that are all there", () => expect(compare(both, both)).toEqual([]));
test("copies in another order", () => expect(compare(both, both.toReversed())).toEqual([]));
test("of root's own records root's copies count, and no account's", () => {
  const by = (uid: number) => both.map((line) => ({ line, uid }));
  expect(compare(both, by(0), { owner: 0 })).toEqual([]);
  expect(
    compare(
      early.lines,
      [...early.lines, ...late.lines].map((line) => ({ line, uid: 0 })),
      { owner: 0 },
    ),
  ).toEqual(["removed late"]);
  const forged = late.lines.map((line) => ({ line, uid: OWNER }));
  const own = early.lines.map((line) => ({ line, uid: 0 }));
  expect(compare(both, [...own, ...forged], { owner: 0 })).toEqual(["uncopied late"]);
});
test("a copy that came twice", () => expect(compare(both, [...both, both[3]!])).toEqual([]));

test("a session that only the journal has was removed", () => {
  expect(compare(early.lines, both)).toEqual(["removed late"]);
  expect(compare(early.lines, both, { pruned: true })).toEqual([]);
});

test("a session that only the files have was forged", () => {
  expect(compare(both, early.lines)).toEqual(["uncopied late"]);
});

test("a record older than the oldest copy is not compared: journals are vacuumed", () => {
  expect(compare(both, late.lines)).toEqual([]);
  expect(compare(both, late.lines.slice(2))).toEqual([]);
  expect(compare(both, [])).toEqual([]);
});

test("copies of accounts that neither are root nor own the files say nothing", () => {
  const forged = late.lines.map((line) => ({ line, uid: STRANGER }));
  expect(compare(early.lines, [...early.lines, ...forged])).toEqual([]); // no alarm by a stranger
  expect(compare(both, [...early.lines, ...forged])).toEqual(["uncopied late"]); // and no alibi
  expect(
    compare(
      both,
      both.map((line) => ({ line, uid: 0 })),
    ),
  ).toEqual([]);
  expect(compare(both, both, { owner: 0 })).toEqual([]); // nothing of root's to compare with
  const roots = early.lines.map((line) => ({ line, uid: 0 }));
  expect(compare(both, [...roots, ...late.lines], { owner: 0 })).toEqual(["uncopied late"]); // root's files: only root's copies
});

test("a time that the account made up for a copy does not make older records suspicious", () => {
  const backdated = sessionLines("2020-01-01T00:00:00Z").lines.map((line) => ({ line, received: `${DAY}T04:00:00Z` }));
  expect(compare(both, [...late.lines, ...backdated])).toEqual(["removed late"]); // only what it made up itself
});

test("of a journal of many hosts only the files' own is compared, of this host's journal all", () => {
  const other = sessionLines(`${DAY}T04:00:00Z`, undefined, { host: "elsewhere" });
  expect(compare(both, [...both, ...other.lines], { hosts: "files" })).toEqual([]);
  expect(compare(both, [...both, ...other.lines])).toEqual(["removed late"]);
});

test("each account above 999 has a journal of its own, which is vacuumed for itself", () => {
  const others = early.lines.map((line) => ({ line, uid: 0 }));
  expect(compare(both, others, { owner: 1000 })).toEqual([]);
});

test("a copy of a record written around the time of the check may still come", () => {
  const fresh = sessionLines(NOW - 4000);
  expect(compare([...early.lines, ...fresh.lines], early.lines)).toEqual([]);
  const arriving = fresh.lines.map((line) => ({ line, received: `${DAY}T12:00:01Z` }));
  expect(compare(early.lines, [...early.lines, ...arriving])).toEqual([]);
});

test("a record written during the check is not compared, and its copy is no alarm", () => {
  expect(compare(early.lines, early.lines, { later: late.lines })).toEqual([]);
  expect(compare(early.lines, both, { later: late.lines })).toEqual([]);
});

test("a session whose id is of the day before its file's, or of the day after", () => {
  for (const time of ["2026-01-04T23:59:59.999Z", "2026-01-06T00:00:00.000Z"]) {
    const { lines } = sessionLines(time);
    expect(compare([...early.lines, ...lines], [...early.lines, ...lines])).toEqual([]);
  }
});

test("a copy whose hash is not that of its bytes is none", () => {
  expect(compare(early.lines, [...early.lines, late.lines[0]!.replace("nix-alpha", "nix-beta")])).toEqual([]);
});

test("a killed supervisor's last records may lack copies, not those in the middle", () => {
  const { files } = archiveOf({ [`alpha/${DAY}`]: late.lines.slice(0, 3).join("") }).scan();
  const ends = closing(unendedIn(files[0]!)[0]!, NOW - 60_000, new Map()).map(({ line }) => line);
  const lost = [...late.lines.slice(0, 3), ...ends];
  const without = (...at: number[]) => [...early.lines, ...lost.filter((_, index) => !at.includes(index))];
  expect(compare([...early.lines, ...lost], without(2))).toEqual([]);
  expect(compare([...early.lines, ...lost], without(0, 1, 2))).toEqual([]);
  expect(compare([...early.lines, ...lost], without(1))).toEqual(["uncopied late"]);
  expect(compare([...early.lines, ...lost], without(0, 1, 2, 3, 4))).toEqual(["uncopied late"]); // no copy at all
});

describe("no account raises an alarm in another team's name", () => {
  const ofTeam = (team: string, more = {}) => sessionLines(`${DAY}T05:00:00Z`, undefined, { team, ...more });

  test("for a team without a folder, whose copies only root can send", () => {
    const ghost = ofTeam("ghost").lines;
    expect(compare(both, [...both, ...ghost])).toEqual([]);
    expect(compare(both, [...both, ...ghost.map((line) => ({ line, uid: 0 }))])).toEqual(["removed late"]);
  });

  test("for a team whose files are all gone: its folder still says whose copies count", () => {
    const gone = ofTeam("beta").lines.map((line) => ({ line, uid: 991 }));
    const ownerOf = (team: string) => (team === "beta" ? 991 : OWNER);
    expect(compare(both, [...both, ...gone], { ownerOf })).toEqual(["removed late"]);
    expect(compare(both, [...both, ...gone.map(({ line }) => ({ line, uid: OWNER }))], { ownerOf })).toEqual([]);
  });

  test("by the id of another team's session, in whose place its own would be told", () => {
    const theirs = ofTeam("beta").lines.map((line) => ({ line, uid: 0 }));
    const own = sessionLines(`${DAY}T05:00:00Z`, undefined, { session: JSON.parse(theirs[0]!.line).session });
    const check = checkJournal({
      ...{ now: NOW, hosts: undefined, files: [], read: () => undefined, isPruned: () => false },
      ownerOf: () => OWNER,
      isCutShort: () => false,
      pathOf: ({ team }) => team,
    });
    for (const { line, uid } of [...own.lines.map((line) => ({ line, uid: OWNER })), ...theirs])
      check.copied(
        journalCopy(JSON.stringify({ NIXGATE_RECORD: line.trimEnd(), _UID: `${uid}`, __REALTIME_TIMESTAMP: "0" }))!,
      );
    expect([...check.removed()].map(({ path, what }) => [path, /by (?:root|uid \d+)/.exec(what)?.[0]])).toEqual([
      ["alpha", `by uid ${OWNER}`],
      ["beta", "by root"],
    ]);
  });

  test("by naming another host in its own files", () => {
    const named = sessionLines(`${DAY}T05:00:00Z`, undefined, { host: "elsewhere" }).lines;
    const there = ofTeam("beta", { host: "elsewhere" }).lines.map((line) => ({ line, uid: 0 }));
    const check = checkJournal({
      ...{ now: NOW, hosts: "files", files: [], read: () => undefined, isPruned: () => false },
      ownerOf: () => OWNER,
      isCutShort: () => false,
      pathOf: ({ team }) => team,
    });
    const fileOf = (team: string) => archiveOf({ [`${team}/${DAY}`]: "" }).scan().files[0]!;
    for (const line of [...both, ...named]) check.seen(fileOf("alpha"), JSON.parse(line), 1);
    for (const line of ofTeam("gamma").lines) check.seen(fileOf("gamma"), JSON.parse(line), 1);
    for (const line of ofTeam("beta").lines) check.seen(fileOf("beta"), JSON.parse(line), 1);
    for (const { line } of there)
      check.copied(
        journalCopy(JSON.stringify({ NIXGATE_RECORD: line.trimEnd(), _UID: "0", __REALTIME_TIMESTAMP: "0" }))!,
      );
    expect([...check.removed()]).toEqual([]);
  });
});
