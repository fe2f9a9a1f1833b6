import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { putOnHostRecord } from "../../src/system/archive/host-records.ts";
import { exported, importJournal, noJournalRemote } from "../support/journal-export.ts";
import { nixgate } from "../support/nixgate.ts";
import { bodies, sessionLines } from "../support/records.ts";
import { temporaryFolder, writeArchive } from "../support/temporary.ts";

const DAY = "2026-01-05";
const closed = sessionLines(`${DAY}T03:00:00Z`, [bodies.close], { team: "_host" });
const session = sessionLines(`${DAY}T03:12:00Z`);
const archive = () =>
  writeArchive({ [`_host/${DAY}`]: closed.lines.join(""), [`alpha/${DAY}`]: session.lines.join("") });
const run = async (log: string, ...words: string[]) => {
  const { status, stdout, stderr } = await nixgate(["sessions", ...words, "--log-dir", log]);
  return { status, text: stdout.toString(), said: stderr.toString() };
};

test("is a chain of one record on disk, which verify believes", async () => {
  const log = temporaryFolder("log");
  await putOnHostRecord({ directory: log, journald: false }, bodies.close);
  await putOnHostRecord({ directory: log, journald: false }, bodies.open);
  const [name = ""] = readdirSync(join(log, "_host"));
  const lines = readFileSync(join(log, "_host", name), "utf8")
    .trimEnd()
    .split("\n");
  expect(lines.map((line) => JSON.parse(line))).toMatchObject([
    { ...bodies.close, team: "_host", seq: 0 },
    { ...bodies.open, team: "_host", seq: 0 },
  ]);
  const { status, text } = await run(log, "verify", "--no-journal");
  expect([status, text]).toEqual([0, expect.stringContaining("2 records, 0 sessions, 1 file")]);
});

test("counts as no session: list, stats, report and metrics pass it over", async () => {
  const log = archive();
  expect(JSON.parse((await run(log, "list", "--json")).text)).toHaveLength(1);
  expect(JSON.parse((await run(log, "stats", "--json")).text)).toMatchObject({ total: { sessions: 1 } });
  expect((await run(log, "report")).text).not.toContain("_host");
  await putOnHostRecord({ directory: log, journald: false }, bodies.close); // of today
  const metrics = await nixgate(["render", "prometheus", "--log-dir", log]);
  expect(metrics.stdout.toString()).not.toContain("_host");
});

test("show tells it, kill says that it is no session, export writes it where records are written", async () => {
  const log = archive();
  const shown = await run(log, "show", closed.session);
  expect([shown.status, shown.text]).toEqual([
    0,
    expect.stringContaining("team alpha closed by eve as root: back at six"),
  ]);
  expect(await run(log, "kill", closed.session)).toMatchObject({
    status: 64,
    said: expect.stringContaining("not a session"),
  });
  const lines = async (...words: string[]) => (await run(log, "export", ...words)).text.split("\n").length - 1;
  expect(await lines()).toBe(6);
  expect(await lines("--format", "ecs")).toBe(6);
  expect(await lines("--team", "_host")).toBe(1);
  expect((await run(log, "export", "--format", "csv")).text).not.toContain("_host");
});

test("is sealed, found where it was changed behind its seal, and pruned on record", async () => {
  const log = archive();
  const seals = ["--seal-dir", join(temporaryFolder("seals"), "lib")];
  expect((await run(log, "seal", ...seals)).text).toContain("_host/2026-01-05.jsonl: sealed 1 line");
  const late = sessionLines(`${DAY}T05:00:00Z`, [bodies.open], { team: "_host" });
  const path = join(log, `_host/${DAY}.jsonl`);
  writeFileSync(path, [...closed.lines, ...late.lines].join(""));
  expect(await run(log, "verify", "--no-journal", ...seals)).toMatchObject({
    status: 65,
    text: expect.stringContaining("was not in the file when its day was sealed"),
  });
  writeFileSync(path, closed.lines.join(""));
  expect((await run(log, "prune", "--clock-is-right", "--older-than", "1d", ...seals)).text).toContain(
    "_host/2026-01-05.jsonl: 0 sessions, 1 record",
  );
  expect(readdirSync(join(log, "_host"))).toEqual([]);
  expect((await run(log, "verify", "--no-journal", ...seals)).status).toBe(0);
});

test.skipIf(noJournalRemote)("is compared with root's copies in the journal alone", async () => {
  const log = archive();
  const journal = temporaryFolder("journal");
  const forged = sessionLines(`${DAY}T06:00:00Z`, [bodies.open], { team: "_host" });
  importJournal(join(journal, "root.journal"), exported([...closed.lines, ...session.lines], 0));
  importJournal(join(journal, "other.journal"), exported(forged.lines, 1000));
  const verified = await run(log, "verify", "--journal", journal);
  expect([verified.status, verified.text]).toEqual([0, expect.stringContaining("6 copies")]);
  writeFileSync(join(log, `_host/${DAY}.jsonl`), "");
  const missing = await run(log, "verify", "--journal", journal);
  expect([missing.status, missing.text]).toEqual([65, expect.stringContaining(`${closed.session}: 1 record (seq 0)`)]);
  rmSync(join(log, "_host"), { recursive: true });
  const alone = temporaryFolder("journal");
  importJournal(join(alone, "other.journal"), exported([...session.lines, ...forged.lines], 1000));
  expect((await run(log, "verify", "--journal", alone, "--host", "builder")).text).not.toContain(forged.session);
  const shown = await nixgate(["sessions", "show", closed.session, "--journal", journal]);
  expect(shown.stdout.toString()).toContain("team alpha closed by eve as root");
  const unknown = await nixgate(["sessions", "show", forged.session, "--journal", journal]);
  expect(unknown.status).toBe(64);
});
