import type { LogRoom, Records } from "../session/ports.ts";
import { clock } from "../system/kernel/clock.ts";
import { logSpace, sizeOfDay, teamsIn } from "../system/session/log-room.ts";

/** The length of one of the two parts of the window, in milliseconds. The window is 10 to 20 minutes long. */
const PART_MS = 600_000;
/** With fewer bytes than this in the window, the files of the day tell better who writes much. */
const LEAST_TOLD = 64 * 1024;

/** The state of one folder of records. */
interface Folder {
  /** Bytes that each team's sessions have written, in this part of the window and in the part before. */
  now: Map<string, number>;
  before: Map<string, number>;
  since: number;
  /** The teams that are turned away until there is room again. */
  readonly away: Set<string>;
  /** The available bytes below which the next team follows. */
  nextBelow: number;
}

/** What `logRoom` asks of the host; separate for tests. */
export interface LogFolders {
  space: typeof logSpace;
  teams: typeof teamsIn;
  sizeOfDay: typeof sizeOfDay;
}

export interface LogWriters {
  /** Opens record files whose appended bytes are counted for their team. */
  counting(open: Records["open"]): Records["open"];
  /**
   * Turns away the team that has written the most in the last 10 to 20 minutes. A team that is turned away stays so until
   * there is room. The next team follows when half of the space is used that was left then.
   */
  readonly logRoom: LogRoom;
}

/**
 * Counts the bytes of records that each team writes. The largest file of the day need not be that of the team that fills the
 * disk now. A new supervisor has counted nothing yet, and then the files of the day decide.
 */
export function logWriters(
  now: () => number = clock.monotonic,
  look: LogFolders = { space: logSpace, teams: teamsIn, sizeOfDay },
): LogWriters {
  const folders = new Map<string, Folder>();
  const folderOf = (directory: string): Folder => {
    const at = now();
    const folder = folders.get(directory) ?? {
      ...{ now: new Map(), before: new Map(), since: at, away: new Set(), nextBelow: Number.POSITIVE_INFINITY },
    };
    folders.set(directory, folder);
    const passed = Math.floor((at - folder.since) / PART_MS);
    if (passed > 0) {
      folder.before = passed === 1 ? folder.now : new Map();
      folder.now = new Map();
      folder.since += passed * PART_MS;
    }
    return folder;
  };
  const isTurnedAway = (...[directory, team, at, least]: Parameters<LogRoom>): boolean => {
    const folder = folderOf(directory);
    const { available, wanted } = look.space(directory, least);
    if (available >= wanted) {
      folder.away.clear();
      folder.nextBelow = Number.POSITIVE_INFINITY;
      return false;
    }
    if (available < folder.nextBelow) {
      const next = loudest(folder, directory, at, look);
      if (next !== undefined) {
        folder.away.add(next);
        folder.nextBelow = available / 2;
      }
    }
    return folder.away.has(team);
  };
  return {
    counting: (open) => (directory, team, start) => {
      const file = open(directory, team, start);
      return {
        append(line, options) {
          const done = file.append(line, options);
          const counts = folderOf(directory).now;
          counts.set(team, (counts.get(team) ?? 0) + Buffer.byteLength(line));
          return done;
        },
        close: () => file.close(),
      };
    },
    logRoom(...question) {
      try {
        return !isTurnedAway(...question);
      } catch {
        return true; // the records that cannot be written there report the fault of the folder
      }
    },
  };
}

/** @returns the team that writes the most of those not turned away; undefined where none has written anything */
function loudest(folder: Folder, directory: string, at: number, look: LogFolders): string | undefined {
  const { now, before, away } = folder;
  // no session of a team is turned away for `_host` or `_unassigned`
  const isIn = (name: string) => !away.has(name) && !name.startsWith("_");
  const teams = [...new Set([...now.keys(), ...before.keys()])].filter(isIn);
  const recent = new Map(teams.map((team) => [team, (now.get(team) ?? 0) + (before.get(team) ?? 0)]));
  const all = [...recent.values()].reduce((sum, bytes) => sum + bytes, 0);
  if (all >= LEAST_TOLD) return mostOf(recent);
  return mostOf(
    new Map(
      look
        .teams(directory)
        .filter(isIn)
        .map((team) => [team, look.sizeOfDay(directory, team, at)]),
    ),
  );
}

function mostOf(bytes: ReadonlyMap<string, number>): string | undefined {
  const most = Math.max(0, ...bytes.values());
  return most === 0 ? undefined : [...bytes].find(([, count]) => count === most)?.[0];
}
