import { closeSync, openSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import fc from "fast-check";
import { closing, unendedIn } from "../../src/archive/lost/unended.ts";
import { openSessions } from "../../src/archive/sessions/open-sessions.ts";
import { summariseFile } from "../../src/archive/sessions/summarise.ts";
import { tallyFiles } from "../../src/archive/statistics/team-counters.ts";
import { checkJournal } from "../../src/archive/verify/check-journal.ts";
import { journalCopy } from "../../src/archive/verify/journal-copy.ts";
import { journalSessions } from "../../src/archive/verify/journal-sessions.ts";
import { verifyFile } from "../../src/archive/verify/verify.ts";
import { decodeLine } from "../../src/record/decode.ts";
import { sentence } from "../../src/record/sentence.ts";
import { readLines } from "../../src/system/archive/line-reader.ts";
import { toFd } from "../../src/units/ids.ts";
import { archiveOf } from "../support/archive-in-memory.ts";
import { isSafe, must, type Parser, parser } from "./parser.ts";
import { anyText, dayText, recordLine } from "./texts.ts";

const entry = fc.record({
  record: fc.oneof(recordLine, fc.jsonValue(), fc.array(fc.integer({ min: -1, max: 256 }), { maxLength: 20 })),
  uid: fc.oneof(fc.constantFrom("0", "990", "1001"), anyText),
  time: fc.oneof(fc.constant("1767582720000000"), anyText),
});
/** A line about as long as the blocks that files are read in. */
const long = fc.integer({ min: 260_000, max: 265_000 }).map((many) => "x".repeat(many));
const jsonOf = ({ record, uid, time }: { record: unknown; uid: string; time: string }) =>
  JSON.stringify({
    NIXGATE_RECORD: typeof record === "string" ? record.trimEnd() : record,
    _UID: uid,
    __REALTIME_TIMESTAMP: time,
  });

/** What the readers of records and of the journal's copies read. @param folder of the run's own */
export function recordParsers(folder: string): readonly Parser[] {
  const day = join(folder, "day.jsonl");
  return [
    parser("lines of records", 12, fc.oneof(recordLine, anyText), (line) => {
      const decoded = decodeLine({ number: 1, bytes: Buffer.from(line), tooLong: false });
      if (decoded.ok) isSafe(sentence(decoded.record));
      else isSafe(decoded.damage.what);
      const open = openSessions();
      open.take({ team: "alpha", text: line });
      must(open.all().length <= 1, "two sessions in one line");
    }),
    parser("days of records", 2, dayText, (text) => {
      const [file] = archiveOf({ "alpha/2026-01-05": text }).scan().files;
      const count = { sessions: 0, records: 0, running: 0 };
      const findings = [...verifyFile(file!, () => false, count)];
      must(count.records <= text.split("\n").length, "more records than lines");
      for (const { what } of findings) isSafe(what);
      const none = () => undefined;
      for (const { state, team } of summariseFile(file!, () => false, none))
        must(state !== "running" && team === "alpha", "a session of nobody's");
      for (const { team } of tallyFiles([file!], () => false, { since: "", byHost: true }, none).keys())
        must(team === "alpha", "a figure in another team's name");
      for (const lost of unendedIn(file!))
        for (const { record, line } of closing(lost, Date.parse("2026-01-06"), new Map())) {
          must(record.team === "alpha", "an end in another team's name");
          const bytes = Buffer.from(line.trimEnd());
          must(decodeLine({ number: 1, bytes, tooLong: false }).ok, "an end that no reader takes");
        }
    }),
    parser(
      "files of lines",
      0.5,
      fc.array(fc.oneof({ weight: 9, arbitrary: anyText }, { weight: 1, arbitrary: long })),
      (some) => {
        const text = some.join("\n");
        writeFileSync(day, text);
        const file = toFd(openSync(day, "r"));
        const read = [...readLines(file, () => {})].map(({ bytes, number }) => [number, Buffer.from(bytes).length]);
        closeSync(file);
        const lines = Buffer.from(text).toString("latin1").split("\n");
        const expected = lines.flatMap(({ length }, at) => (length > 0 ? [[at + 1, length]] : []));
        must(JSON.stringify(read) === JSON.stringify(expected), "other lines than the file's");
      },
    ),
    parser("entries of the journal", 8, entry, (one) => {
      const copy = journalCopy(jsonOf(one));
      if (copy === undefined) return;
      must(Number.isInteger(copy.uid) && Number.isFinite(copy.received), "a copy of nobody's");
      const sessions = journalSessions((team, day) => {
        must(/^[a-z_][a-z0-9-]*$/.test(team), "a folder of another name");
        must(/^\+?\d{4,6}-\d\d-\d\d$/.test(day) || day.length === 10, "a file of another name");
        must(!day.includes("/"), "a file elsewhere");
      });
      sessions.take(copy);
      sessions.end();
    }),
    parser(
      "texts of journalctl",
      2,
      fc.oneof(
        anyText,
        fc.jsonValue().map((value) => JSON.stringify(value)),
      ),
      (text) => must(journalCopy(text) === undefined, "a copy out of nothing"),
    ),
    parser("journals beside files", 2, fc.tuple(dayText, fc.array(entry, { maxLength: 6 })), ([text, entries]) => {
      const { files } = archiveOf({ "alpha/2026-01-05": text }).scan();
      const owned = files.map((file) => ({ ...file, owner: () => 990 }));
      const check = checkJournal({
        ...{ now: Date.parse("2026-01-06"), hosts: undefined, files: owned, isPruned: () => false },
        read: (file, visit) => void [...verifyFile(file, () => false, { sessions: 0, records: 0, running: 0 }, visit)],
        ownerOf: (team) => (team === "alpha" ? 990 : undefined),
        isCutShort: () => false,
        pathOf: ({ team, day }) => `/log/${team}/${day}.jsonl`,
      });
      for (const file of owned)
        for (const _ of verifyFile(
          file,
          () => false,
          { sessions: 0, records: 0, running: 0 },
          (record, _digest, line) => check.seen(file, record, line),
        ));
      const copies = entries.flatMap((one) => journalCopy(jsonOf(one)) ?? []);
      for (const copy of copies) check.copied(copy);
      const counted = copies.filter(({ uid, record }) => uid === 0 || (uid === 990 && record.team === "alpha"));
      must(check.copies <= counted.length, "a copy of a stranger's that counts");
      for (const { what } of [...check.removed(), ...owned.flatMap((file) => [...check.uncopied(file)])]) isSafe(what);
    }),
  ];
}
