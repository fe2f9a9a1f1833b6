import { escapeText } from "../units/text.ts";
import type { ArchiveProblem, DayFile, IsAlive } from "./archive.ts";
import { decodeLine } from "./decode.ts";
import { RecordError } from "./error.ts";
import { conclude, type Gathering, gather, type Summary, take } from "./summary.ts";

/**
 * The sessions of one file, each as soon as its end is read, those without an end last. Memory is that of the
 * sessions open at one time, whatever the file's size. What is damaged goes to `report` and is passed over.
 */
export function* summariseFile(
  file: DayFile,
  isAlive: IsAlive,
  report: (problem: ArchiveProblem) => void,
): Generator<Summary> {
  const open = new Map<string, Gathering>();
  try {
    for (const line of file.lines()) {
      const decoded = decodeLine(line);
      if (!decoded.ok) {
        report({ path: `${file.path}:${line.number}`, what: decoded.damage.what });
        continue;
      }
      const { record } = decoded;
      const known = open.get(record.session) ?? gather(record);
      take(known, record);
      if (record.event === "session.end") {
        open.delete(record.session);
        yield conclude(known, isAlive);
      } else open.set(record.session, known);
    }
  } catch (error) {
    if (!(error instanceof RecordError)) throw error;
    report({ path: escapeText(file.path), what: error.message });
  }
  for (const known of open.values()) yield conclude(known, isAlive);
}
