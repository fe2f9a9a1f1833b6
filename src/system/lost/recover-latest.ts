import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { decodeAdded } from "../../archive/misplaced.ts";
import { openSessions } from "../../archive/sessions/open-sessions.ts";
import { type Fd, toFd } from "../../units/ids.ts";
import { isGone } from "../kernel/session-process.ts";

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
const DAY_MS = 86_400_000;
/** How many bytes of a day's end are searched: about a thousand records, in one or two milliseconds. */
const LOOK_BYTES = 1_048_576;

/** Records the ends of lost sessions that the team's two latest files show. */
export async function recoverLatest(directory: string, team: string, journald: boolean): Promise<void> {
  const now = Date.now();
  const days = [now, now - DAY_MS].map((time) => new Date(time).toISOString().slice(0, 10));
  const suspicious = days.filter((day) => hasLost(team, `${directory}/${team}/${day}.jsonl`));
  if (suspicious.length === 0) return;
  const [{ openArchive }, { openJournal }, { recoverPorts }, { recoverFiles }] = await Promise.all([
    import("../archive/archive.ts"),
    import("../journal/journal.ts"),
    import("./recover-ports.ts"),
    import("../../archive/lost/recover-files.ts"),
  ]);
  const ports = recoverPorts(directory, journald ? openJournal() : undefined);
  const files = openArchive(directory).scan().files;
  await recoverFiles(
    files.filter((file) => file.team === team && suspicious.includes(file.day)),
    ports,
  );
  await ports.flush();
}

function hasLost(team: string, path: string): boolean {
  const open = openSessions();
  for (const text of endOf(path)) open.take({ team, text });
  return open.all().some(({ start }) => {
    const decoded = decodeAdded({ team, text: start });
    return decoded.ok && decoded.record.event === "session.start" && isGone(decoded.record);
  });
}

function endOf(path: string): readonly string[] {
  let file: Fd | undefined;
  try {
    file = toFd(openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK));
    const stat = fstatSync(file);
    if (!stat.isFile()) return [];
    const from = Math.max(0, stat.size - LOOK_BYTES);
    const bytes = Buffer.allocUnsafe(stat.size - from);
    return bytes.toString("utf8", 0, readSync(file, bytes, 0, bytes.length, from)).split("\n");
  } catch {
    return []; // no file exists yet
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
