import { chownSync, cpSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { hostname } from "node:os";
import { dirname, join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import type { Finding } from "../../src/archive/finding.ts";
import { append, openChain, resumeChain } from "../../src/record/chain.ts";
import type { RecordBody, SessionRecord } from "../../src/record/schema.ts";
import { makeSessionId } from "../../src/units/ids.ts";
import { exported, importJournal, noJournalRemote } from "../support/journal-export.ts";
import { noJournald, withJournald } from "../support/journald.ts";
import { page, tableUnder } from "../support/markdown.ts";
import { nixgate } from "../support/nixgate.ts";
import { bodies, sessionLines } from "../support/records.ts";
import { temporaryFolder, writeArchive } from "../support/temporary.ts";
import { NIXGATE, workplace, workplaceIn } from "../support/workplace.ts";

/** What `verify` may find later than this is compared with the journal (SETTLE_MS of check-journal.ts). */
const SETTLED_MS = 5500;

const folder = temporaryFolder("trust");
const place = workplaceIn(folder);
const journal = join(folder, "journal");
const seals = join(folder, "lib");

/** Four sessions of the built program, among them one that is turned away, beside a real journald, and a seal. */
beforeAll(async () => {
  if (noJournald) return;
  mkdirSync(journal);
  place.edit("nixgate.toml", "journald = false", "journald = true");
  place.allow("echo", ["/bin/echo", "ran"]);
  const done = withJournald(place, journal, "serve echo; serve echo; serve forbidden; serve echo");
  expect(done.stdout, done.stderr).toBe("ran\nran\nran\n");
  const sealed = await nixgate(["sessions", "seal", "--seal-dir", seals, "--log-dir", place.log]);
  expect(sealed.status, sealed.stderr).toBe(0);
  await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
}, 60_000);

const file = () => readdirSync(join(place.log, "alpha")).find((name) => name.endsWith(".jsonl")) as string;
const lines = () =>
  readFileSync(join(place.log, "alpha", file()), "utf8")
    .trimEnd()
    .split("\n");
const parsed = (line: string): SessionRecord => JSON.parse(line);

/** The sessions of the file, each with its lines, in their order. */
function sessions(): string[][] {
  const ids = [...new Set(lines().map((line) => parsed(line).session))];
  return ids.map((id) => lines().filter((line) => parsed(line).session === id));
}

interface Verified {
  readonly status: number | null;
  readonly findings: readonly Finding[];
  readonly layers: Readonly<Record<string, { checked: boolean; what: string }>>;
}

async function verify(log: string): Promise<Verified> {
  // Of which host must be said of a journal of many: who writes the files could name another in them.
  const against = ["--journal", journal, "--host", hostname(), "--sealed-as", place.log, "--seal-dir", seals];
  const words = ["--log-dir", log, "--json", ...against];
  const { status, stdout, stderr } = await nixgate(["sessions", "verify", ...words]);
  if (stdout.length === 0) throw new Error(stderr);
  return { status, ...JSON.parse(stdout.toString()) };
}

/** `chain: changed; seal: altered`: each layer that finds something, with the kinds. */
function byLayer(findings: readonly Finding[]): string {
  const kinds = ["chain", "journal", "seal"].map((layer) => {
    const found = findings.filter((one) => one.layer === layer).map(({ kind }) => kind);
    return found.length === 0 ? "" : `${layer}: ${[...new Set(found)].sort().join(" ")}`;
  });
  return kinds.filter(Boolean).join("; ");
}

/** A session that never was, with a chain that is right, as whoever owns the file can make it. */
function forged(time: string, said: readonly RecordBody[] = [bodies.start, bodies.deny, bodies.end]): string[] {
  const at = Date.parse(time);
  const { host, boot } = parsed(lines()[0] as string);
  let chain = openChain({ session: makeSessionId(at, Buffer.alloc(10, 7)), team: "alpha", host, boot });
  return said.map((body) => {
    const next = append(chain, at, body);
    chain = next.chain;
    return next.line.trimEnd();
  });
}

/** A session's lines with another client in its first record, and all hashes made anew. */
function rewritten(of: readonly string[]): string[] {
  const [first] = of.map(parsed) as [SessionRecord];
  let chain = openChain(resumeChain(first).identity);
  return of.map(parsed).map(({ v, session, seq, team, host, boot, prev, hash, time, ...body }) => {
    const said = body.event === "session.start" ? { ...body, client: { ip: "192.0.2.9", port: 50022 } } : body;
    const next = append(chain, Date.parse(time), said as RecordBody);
    chain = next.chain;
    return next.line.trimEnd();
  });
}

type Damage = (all: string[], sessions: string[][]) => readonly string[];
const flat = (parts: readonly (readonly string[])[]) => parts.flat();

const damages: readonly (readonly [name: string, found: string, damage: Damage])[] = [
  [
    "a byte changed",
    "chain: changed; journal: removed uncopied; seal: altered",
    (all, each) =>
      all.map((line) => (line === each[1]?.[1] ? line.replace('"argv":["/bin/echo"', '"argv":["/bin/Echo"') : line)),
  ],
  ["a record removed", "chain: missing; journal: removed; seal: cut", (all) => all.toSpliced(1, 1)],
  ["a whole session removed", "journal: removed; seal: cut", (_, each) => flat(each.toSpliced(1, 1))],
  [
    "two records swapped",
    "chain: missing order; seal: altered",
    (all) => [all[0], all[2], all[1], ...all.slice(3)] as string[],
  ],
  ["two sessions swapped", "seal: altered", (_, [a, b, ...rest]) => flat([b!, a!, ...rest])],
  ["a session copied", "chain: after-end copied", (all, each) => [...all, ...each[0]!]],
  [
    "a session forged with a correct chain",
    "journal: uncopied",
    (all) => [...all, ...forged(parsed(all.at(-1)!).time)],
  ],
  [
    "a session rewritten with a correct chain",
    "journal: removed uncopied; seal: altered",
    (_, each) => flat([...each.slice(0, -1), rewritten(each.at(-1)!)]),
  ],
  ["the tail cut off at a line", "chain: unended; journal: removed; seal: cut", (all) => all.slice(0, -1)],
  ["the tail cut off behind a session", "journal: removed; seal: cut", (_, each) => flat(each.slice(0, -1))],
];

describe.skipIf(noJournald)(`damage to what the built program wrote (${noJournald ?? "with a real journald"})`, () => {
  test("untouched, all three layers are used and nothing is found", async () => {
    const { status, findings, layers } = await verify(place.log);
    expect({ status, findings }).toEqual({ status: 0, findings: [] });
    expect(Object.values(layers).map(({ checked }) => checked)).toEqual([true, true, true]);
    expect(layers["journal"]?.what).toContain(
      `${lines().length} copies of ${hostname()}, alpha from ${parsed(lines()[0]!).time.slice(0, 16)}`,
    );
  });

  test.each(damages)("%s is found: %s", async (_, expected, damage) => {
    const copy = temporaryFolder("damaged");
    cpSync(place.log, copy, { recursive: true });
    const after = damage(lines(), sessions());
    expect(after).not.toEqual(lines());
    writeFileSync(join(copy, "alpha", file()), after.map((line) => `${line}\n`).join(""));
    const { status, findings } = await verify(copy);
    expect(byLayer(findings)).toBe(expected);
    expect(status).toBe(65);
  });

  test("docs/trust.md's table says which layer finds what", () => {
    const known = new Map(
      damages.map(([name, found]) => [name, ["chain", "journal", "seal"].map((layer) => found.includes(`${layer}:`))]),
    );
    const rows = tableUnder(page("trust"), "damage").flatMap(([names = "", ...cells]) =>
      names.split(", ").map((name) => [name, cells.map((cell) => cell === "yes")] as const),
    );
    const both = rows.filter(([name]) => known.has(name));
    expect(both.length).toBeGreaterThanOrEqual(7);
    for (const [name, cells] of both) expect(cells, name).toEqual(known.get(name));
  });

  test("a session copied into another team's folder is found: chain: misplaced", async () => {
    const copy = temporaryFolder("damaged");
    cpSync(place.log, copy, { recursive: true });
    mkdirSync(join(copy, "beta"));
    writeFileSync(join(copy, "beta", file()), `${sessions()[0]!.join("\n")}\n`);
    expect(byLayer((await verify(copy)).findings)).toBe("chain: misplaced");
  });

  test("a file that is missing is found: journal: removed; seal: gone", async () => {
    const { findings } = await verify(temporaryFolder("empty"));
    expect(byLayer(findings)).toBe("journal: removed; seal: gone");
    expect(findings.filter(({ kind }) => kind === "removed")).toHaveLength(4);
  });

  test("without the seals and without the journal it says so, and the chain still counts", async () => {
    const words = ["--log-dir", place.log, "--seal-dir", join(folder, "none"), "--no-journal"];
    const { status, stdout } = await nixgate(["sessions", "verify", ...words]);
    expect(status).toBe(0);
    expect(stdout.toString()).toMatch(/^journal {2}not used: --no-journal$/m);
    expect(stdout.toString()).toMatch(/^seal {5}not used: no seals of this archive below .*nixgate sessions seal/m);
  });
});

describe.skipIf(noJournald)(`verify is silent (${noJournald ?? "with a real journald"})`, () => {
  /** Runs a script of sessions beside journald in a place of its own, and verifies by all layers when it has settled. */
  async function afterwards(script: string) {
    const own = workplace();
    const kept = join(own.folder, "journal");
    mkdirSync(kept);
    own.edit("nixgate.toml", "journald = false", "journald = true");
    own.allow("echo", ["/bin/echo", "ran"]);
    own.allow("wait", ["/bin/sleep", "1"]);
    const words = ["--log-dir", own.log, "--seal-dir", join(own.folder, "lib")];
    const seal = `${NIXGATE} sessions seal ${words.join(" ")}`;
    const { status, stderr } = withJournald(own, kept, `seal() { ${seal}; }\n${script}`);
    await new Promise((resolve) => setTimeout(resolve, SETTLED_MS));
    const { stdout } = await nixgate(["sessions", "verify", ...words, "--journal", kept, "--json"]);
    return { stderr, ...(JSON.parse(stdout.toString()) as Verified & { sessions: number }), status, own, words, kept };
  }

  test("on thirty sessions at once, sealed while they wrote", { timeout: 60_000 }, async () => {
    const all = `for i in 1 2 3 4 5 6 7 8 9 10; do serve echo & serve forbidden & serve echo & done; seal; sleep 0.3; seal; wait; seal`;
    const { findings, layers, sessions: count, words, kept, own } = await afterwards(all);
    expect(findings).toEqual([]);
    expect(count).toBe(30);
    expect(layers["journal"]?.what).toMatch(/^\d+ copies of \S+, alpha from/);
    expect(layers["seal"]?.what).toMatch(/^[1-3] seals?, /);

    // and where the whole archive was moved, with its times or without
    const moved = join(own.folder, "moved");
    renameSync(own.log, moved);
    const again = ["--log-dir", moved, "--sealed-as", own.log, ...words.slice(2), "--journal", kept];
    const { status, stdout } = await nixgate(["sessions", "verify", ...again]);
    expect(stdout.toString()).toContain("30 sessions, 1 file, 0 running: nothing found");
    expect(status).toBe(0);
  });

  test("on sessions that were killed at whatever moment, and were recovered", { timeout: 60_000 }, async () => {
    const kill = `
      killed() { kill -9 $pid; wait $pid; seal; }
      start wait & pid=$!; until cat LOG/alpha/* 2>/dev/null | grep -q session.start; do :; done; killed
      start wait & pid=$!; until cat LOG/alpha/* | grep -q command.start; do :; done; killed
      for delay in 0.03 0.05 0.07 0.09 0.11 0.15 0.2; do start wait & pid=$!; sleep $delay; killed; done
      serve echo
      ${NIXGATE} recover --config-dir CONFIG
      seal`;
    const { findings, status, stderr, sessions: count } = await afterwards(kill);
    expect(status, stderr).toBe(0);
    expect(findings).toEqual([]);
    expect(count).toBeGreaterThanOrEqual(3);
  });
});

const cannotChown = noJournald ?? noJournalRemote;
test.skipIf(cannotChown)(
  `a file that seems to be root's blinds nobody${cannotChown ? ` (${cannotChown})` : ""}`,
  async () => {
    const [kept, removed] = [sessionLines("2026-01-05T03:00:00Z"), sessionLines("2026-01-05T04:00:00Z")];
    const log = writeArchive({ "alpha/2026-01-05": kept.lines.join("") }); // root's, as by a link to a file of root's
    chownSync(join(log, "alpha"), 990, 990);
    const copies = join(temporaryFolder("copies"), "system.journal");
    importJournal(copies, exported([...kept.lines, ...removed.lines], 990));
    const words = ["--log-dir", log, "--journal", dirname(copies), "--json"];
    const { stdout } = await nixgate(["sessions", "verify", ...words]);
    const { findings } = JSON.parse(stdout.toString());
    expect(byLayer(findings)).toBe("journal: removed");
    expect(findings).toMatchObject([{ session: removed.session }]);
  },
);
