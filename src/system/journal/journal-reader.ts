import { spawn } from "node:child_process";
import { once } from "node:events";
import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { COPY_FIELDS, type JournalCopy, type JournalSource, journalCopy } from "../../archive/verify/journal-copy.ts";
import { RecordError } from "../../record/error.ts";
import { MESSAGE_IDS } from "../../record/journal-entry.ts";
import { PATH } from "../../scope/environment.ts";
import { escapeText } from "../../units/text.ts";

interface JournalQuery extends JournalSource {
  /** Only the copies of these sessions. */
  readonly session?: readonly string[] | undefined;
}

/**
 * Reads the copies of records in a journal, in its order, through journalctl(1): the journal's files have their own
 * locks, compression and formats. Memory holds one entry.
 * @throws RecordError E_JOURNAL_READ
 */
export async function* readJournal({
  directory,
  merge = false,
  session = [],
}: JournalQuery): AsyncGenerator<JournalCopy> {
  const words = ["--no-pager", "--quiet", "--output=json", "--all", `--output-fields=${COPY_FIELDS.join(",")}`];
  if (directory !== undefined) words.push(`--directory=${resolve(directory)}`);
  if (merge) words.push("--merge");
  // Several values of one field are alternatives.
  words.push(...Object.values(MESSAGE_IDS).map((id) => `MESSAGE_ID=${id}`));
  words.push(...session.map((id) => `NIXGATE_SESSION=${id}`));
  const child = spawn("journalctl", words, { cwd: "/", env: { PATH }, stdio: ["ignore", "pipe", "pipe"] });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said = (said + text).slice(0, 4096);
  });
  const ended = once(child, "close");
  ended.catch(() => undefined); // awaited below
  try {
    for await (const line of createInterface({ input: child.stdout, crlfDelay: Number.POSITIVE_INFINITY })) {
      const copy = journalCopy(line);
      if (copy) yield copy;
    }
    const [status] = await ended;
    if (status === 0) return;
    // journalctl exits with 1 and writes nothing where no entry matches.
    if (status === 1 && said.trim() === "") return;
    throw new Error(said.trim().split("\n").at(-1) || `journalctl ended with ${status}`);
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const why = code === "ENOENT" ? "journalctl does not exist" : message;
    throw new RecordError("E_JOURNAL_READ", `the journal cannot be read: ${escapeText(why)}`, {
      hint: "run journalctl MESSAGE_ID=… as root",
      cause,
    });
  } finally {
    child.kill();
  }
}
