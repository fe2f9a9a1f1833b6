import { closeSync, constants, fstatSync, openSync, readSync } from "node:fs";
import { openSessions } from "../record/open-sessions.ts";
import type { Recovery } from "../session/ports.ts";
import { within } from "./clock.ts";
import { isGone, type Start } from "./session-process.ts";

const { O_RDONLY, O_NOFOLLOW, O_NONBLOCK } = constants;
const DAY_MS = 86_400_000;
/** How much of a day's end is looked at, in bytes: about a thousand records, and one or two milliseconds. */
const LOOK_BYTES = 1_048_576;
/** How long a command must have run before the time that it takes is used for the look, in milliseconds. */
const LOOK_AFTER_MS = 200;
/** How long the end of a session waits for a recovery that found something, in milliseconds. */
const PATIENCE_MS = 1000;

/**
 * What a session does for those before it: a look at the end of its team's two latest files, and where that finds a
 * session whose supervisor is gone, what `nixgate recover` does. What lies further back is for that command. A command
 * that is over at once is not made to wait for it: the next one, which takes longer, will do it.
 */
export function openRecovery(): Recovery {
  let work: Promise<unknown> | undefined;
  let start: NodeJS.Timeout | undefined;
  return {
    begin({ directory, journald }, team) {
      const look = () => {
        // its own session is sound; `nixgate recover` tells what is wrong
        work = recoverLatest(directory, team, journald).catch(() => undefined);
      };
      start ??= setTimeout(look, LOOK_AFTER_MS);
    },
    async settled() {
      clearTimeout(start);
      if (work) await within(PATIENCE_MS, work, undefined);
    },
  };
}

async function recoverLatest(directory: string, team: string, journald: boolean): Promise<void> {
  const now = Date.now();
  const days = [now, now - DAY_MS].map((time) => new Date(time).toISOString().slice(0, 10));
  const suspicious = days.filter((day) => hasLost(`${directory}/${team}/${day}.jsonl`));
  if (suspicious.length === 0) return;
  const [{ openArchive }, { openJournal }, { recoverPorts }, { recoverFiles }] = await Promise.all([
    import("./archive.ts"),
    import("./journal.ts"),
    import("./recover-ports.ts"),
    import("../record/recover.ts"),
  ]);
  const ports = recoverPorts(directory, journald ? openJournal() : undefined);
  const files = openArchive(directory).scan().files;
  await recoverFiles(
    files.filter((file) => file.team === team && suspicious.includes(file.day)),
    ports,
  );
  await ports.flush();
}

function hasLost(path: string): boolean {
  const open = openSessions();
  for (const line of endOf(path)) open.take(line);
  return open.all().some(({ start }) => {
    try {
      return isGone(JSON.parse(start) as Start);
    } catch {
      return false; // torn
    }
  });
}

function endOf(path: string): readonly string[] {
  let file: number | undefined;
  try {
    file = openSync(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK);
    const stat = fstatSync(file);
    if (!stat.isFile()) return [];
    const from = Math.max(0, stat.size - LOOK_BYTES);
    const bytes = Buffer.allocUnsafe(stat.size - from);
    return bytes.toString("utf8", 0, readSync(file, bytes, 0, bytes.length, from)).split("\n");
  } catch {
    return []; // there is none yet
  } finally {
    if (file !== undefined) closeSync(file);
  }
}
