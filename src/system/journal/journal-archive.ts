import { appendFileSync, mkdirSync, mkdtempSync, rmSync } from "node:fs";
import type { Archive } from "../../archive/archive.ts";
import { journalSessions } from "../../archive/verify/journal-sessions.ts";
import { openArchive } from "../archive/archive.ts";
import { type JournalSource, readJournal } from "./journal-reader.ts";

/** Larger than /tmp, which may be memory, is meant for (file-hierarchy(7)). */
const SPOOL = "/var/tmp/nixgate-journal-";
const BUFFER_CHARACTERS = 65_536;

/**
 * The copies in a journal as an archive: they are laid out as files of their own in a folder that goes with this
 * process, so that whatever reads an archive reads them too, with memory for the sessions that are open at one time.
 * @throws RecordError E_JOURNAL_READ
 */
export async function openJournalArchive(place: JournalSource): Promise<Archive> {
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
  });
  for await (const copy of readJournal(place)) sessions.take(copy);
  sessions.end();
  for (const path of [...buffered.keys()]) flush(path);
  const name = place.directory ?? "journal";
  const archive = openArchive(folder);
  return {
    directory: name,
    scan() {
      const { files, problems } = archive.scan();
      const strangers = sessions.strangers();
      const said = strangers === 0 ? [] : [{ path: name, what: foreign(strangers) }];
      // What the spool's files offer beyond their lines is the spool's own.
      const named = files.map(({ team, day, path, lines }) => ({ team, day, path: path.replace(folder, name), lines }));
      return { files: named, problems: [...problems, ...said] };
    },
  };
}

const foreign = (count: number) =>
  `${count} ${count === 1 ? "copy" : "copies"} left out: sent by an account that is neither root nor the session's own`;

function removeAtTheEnd(folder: string): void {
  const remove = () => rmSync(folder, { recursive: true, force: true });
  process.once("exit", remove);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) {
    process.once(signal, () => {
      remove();
      process.kill(process.pid, signal); // the handler is gone: it ends this process as it would have
    });
  }
}
