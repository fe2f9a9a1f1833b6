import { ofFile, RecordError } from "../../record/error.ts";
import { escapeText } from "../../units/text.ts";
import type { DayFile } from "../archive.ts";
import { inTurns } from "../in-turns.ts";
import { type Recovered, type RecoverPorts, recoverFile } from "./recover.ts";

const DAY_MS = 86_400_000;
/** The time for the files of one team, and for all, in milliseconds. The next run handles the rest. */
const TEAM_MS = 30_000;
const RUN_MS = 300_000;

interface Left {
  sessions: number;
  files: number;
}

/**
 * Recovers many files, those of the teams in turns. A file that cannot be recovered does not stop the recovery of the
 * others. A team can make its own files slow: it can hold their locks, and have many lost sessions. So locks are waited
 * for after all other files, one for each team, and each team has a bounded time.
 * @returns `notes` names the files that were left out without being a failure
 */
export async function recoverFiles(all: readonly DayFile[], ports: RecoverPorts) {
  const recovered: Recovered[] = [];
  const failed = new Map<DayFile, RecordError>();
  const left = new Map<string, Left>();
  const spent = new Map<string, number>();
  const waited = new Set<string>();
  const began = ports.elapsed();
  const isLater = ({ day }: DayFile) => Date.parse(day) > ports.now() + DAY_MS;

  const recoverOne = async (file: DayFile, waits: boolean) => {
    const { team } = file;
    const start = ports.elapsed();
    const before = spent.get(team) ?? 0;
    const isOver = () => before + ports.elapsed() - start > TEAM_MS || ports.elapsed() - began > RUN_MS;
    const more = { sessions: 0, files: 0, ...left.get(team) };
    if (isOver()) {
      if (!failed.has(file)) left.set(team, { ...more, files: more.files + 1 });
      return;
    }
    try {
      failed.delete(file);
      const one = await recoverFile(file, ports, { isOver, waits });
      recovered.push(...one.recovered);
      if (one.left > 0) left.set(team, { ...more, sessions: more.sessions + one.left });
    } catch (error) {
      failed.set(file, ofFile(file, error));
    }
    spent.set(team, before + ports.elapsed() - start);
  };

  for (const file of inTurns(all.filter((file) => !isLater(file)))) await recoverOne(file, false);
  const held = [...failed].filter(([, { code }]) => code === "E_LOG_WRITE").map(([file]) => file);
  for (const file of inTurns(held)) {
    await recoverOne(file, !waited.has(file.team));
    // A team that holds one lock may hold all of them.
    if (failed.has(file)) waited.add(file.team);
  }
  const notes = [...Map.groupBy(all.filter(isLater), ({ team }) => team)].map(([team, { length }]) =>
    later(team, length),
  );
  return { recovered, failed: [...failed.values(), ...[...left].map(forNextRun)], notes };
}

const count = (many: number, what: string) => `${many} ${what}${many === 1 ? "" : "s"}`;

function forNextRun([team, { sessions, files }]: readonly [string, Left]): RecordError {
  const what = [sessions > 0 && count(sessions, "session"), files > 0 && count(files, "file")].filter(Boolean);
  const are = sessions + files === 1 ? "is" : "are";
  return new RecordError(
    "E_LOG_WRITE",
    `${what.join(" and ")} of team ${escapeText(team)} ${are} left for the next run`,
    {
      hint: "run nixgate recover again",
    },
  );
}

const later = (team: string, files: number) =>
  `${count(files, "file")} of team ${escapeText(team)} left out: dated after tomorrow`;
