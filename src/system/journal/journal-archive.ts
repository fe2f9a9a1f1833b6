import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import type { Archive } from "../../archive/archive.ts";
import type { JournalSource } from "../../archive/verify/journal-copy.ts";
import { journalSessions } from "../../archive/verify/journal-sessions.ts";
import { openArchive } from "../archive/archive.ts";
import { readJournal } from "./journal-reader.ts";

/** The copies may need more room than /tmp has, which may be in memory (file-hierarchy(7)). */
const SPOOL = "/var/tmp/nixgate-journal-";
const BUFFER_CHARACTERS = 65_536;
const BUFFERED_FILES = 1000;
/** Above this number of accounts, their copies are told as a sum. */
const MOST_NAMED = 20;

/**
 * Presents a journal's copies as an archive. They are written as files to a folder that is removed when this process
 * ends, so that every reader of an archive can read them. Memory holds only the sessions that are open at one time,
 * 16 MiB for each account but root.
 * @throws RecordError E_JOURNAL_READ
 */
export async function openJournalArchive(source: JournalSource): Promise<Archive> {
  const folder = mkdtempSync(SPOOL);
  removeAtTheEnd(folder);
  const buffered = new Map<string, string>();
  const flush = (path: string) => {
    appendFileSync(path, buffered.get(path) ?? "");
    buffered.delete(path);
  };
  const sessions = journalSessions((team, day, line) => {
    const path = `${folder}/${team}/${day}.jsonl`;
    mkdirSync(`${folder}/${team}`, { recursive: true });
    const text = `${buffered.get(path) ?? ""}${line}\n`;
    buffered.set(path, text);
    if (text.length > BUFFER_CHARACTERS) flush(path);
    // Any account can send copies of many teams and days.
    if (buffered.size > BUFFERED_FILES) for (const one of [...buffered.keys()]) flush(one);
  });
  for await (const copy of readJournal(source)) sessions.take(copy);
  sessions.end();
  for (const path of [...buffered.keys()]) flush(path);
  const name = source.directory ?? "journal";
  const archive = openArchive(folder);
  return {
    directory: name,
    scan() {
      const { files, problems } = archive.scan();
      const strangers = sessions.strangers();
      const said = [...(strangers === 0 ? [] : [foreign(strangers)]), ...tooMany(sessions.beyond())];
      // The temporary files must offer their lines alone: the other properties belong to the temporary folder.
      const named = files.map(({ team, day, path, lines }) => ({ team, day, path: path.replace(folder, name), lines }));
      return { files: named, problems: [...problems, ...said.map((what) => ({ path: name, what }))] };
    },
  };
}

const copies = (count: number) => `${count} ${count === 1 ? "copy" : "copies"}`;

const foreign = (count: number) =>
  `${copies(count)} left out: sent by an account that is neither root nor the session's own, or without its session.start`;

function tooMany(beyond: ReadonlyMap<number, number>): readonly string[] {
  const why = "too many of its sessions are incomplete";
  const all = [...beyond];
  const named = all.slice(0, MOST_NAMED).map(([uid, count]) => `${copies(count)} by uid ${uid} left out: ${why}`);
  const others = all.slice(MOST_NAMED).reduce((sum, [, count]) => sum + count, 0);
  return others === 0 ? named : [...named, `${copies(others)} by ${all.length - MOST_NAMED} other accounts left out`];
}

function removeAtTheEnd(folder: string): void {
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => {
      remove();
      process.kill(process.pid, signal); // the handler is removed, so the signal ends the process
    });
  }
}
