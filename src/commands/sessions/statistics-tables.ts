import { GROUPS_MAX, OTHERS, type Statistics, type statistics } from "../../archive/statistics/statistics.ts";
import { CAUSES, REASONS } from "../../record/vocabulary.ts";
import { bytesInWords, durationInWords } from "../../record/wording.ts";
import { alignedTable } from "../shared/table.ts";

const TITLES = [
  "TEAM",
  "MEMBER",
  "SESSIONS",
  "COMMANDS",
  "DENIALS",
  "CPU HOURS",
  "MEMORY PEAK",
  "P50",
  "P95",
  "LONGEST",
];
const MS_PER_HOUR = 3_600_000;

/** One table of teams and members, followed by the reasons of refusals and the causes of endings. */
export function statisticsTables({ total, teams }: ReturnType<ReturnType<typeof statistics>["result"]>): string {
  if (total.sessions === 0) return "no sessions match\n";
  const rows = teams.flatMap(({ team, members, ...all }) => [
    [team, "(all)", ...figures(all)],
    ...members.map(({ member, ...own }) => [team, member ?? "-", ...figures(own)]),
  ]);
  const names = teams.map(({ team }) => team);
  const counts = (
    title: string,
    words: readonly string[],
    of: (one: Statistics) => Readonly<Record<string, number>>,
  ) => {
    const seen = words.filter((word) => of(total)[word] !== undefined);
    const cells = seen.map((word) => [word, ...[total, ...teams].map((one) => String(of(one)[word] ?? "-"))]);
    return seen.length === 0 ? "" : `\n${alignedTable([title, "ALL", ...names], cells, 1)}`;
  };
  const all = teams.length > 1 ? [["(all)", "(all)", ...figures(total)]] : [];
  const open = [total.running > 0 && `${total.running} running`, total.lost > 0 && `${total.lost} lost`].filter(
    Boolean,
  );
  const crowded = teams.filter(({ members }) => members.some(({ member }) => member === OTHERS));
  return [
    alignedTable(TITLES, [...rows, ...all], 2),
    open.length > 0 ? `of all: ${open.join(", ")}\n` : "",
    (total.summed_up ?? 0) > 0
      ? `of all teams: ${total.summed_up} refused sessions are recorded only as a number\n`
      : "",
    ...crowded.map(
      ({ team }) => `of ${team}: ${GROUPS_MAX} members are counted separately, all others together as ${OTHERS}\n`,
    ),
    teams.some(({ team }) => team === OTHERS)
      ? `of all teams: ${GROUPS_MAX} are counted separately, all others together as ${OTHERS}\n`
      : "",
    counts("DENIALS", REASONS, ({ denials }) => denials),
    counts("SESSIONS ENDED BY", CAUSES, ({ causes }) => causes),
  ].join("");
}

const figures = (one: Statistics): readonly string[] => [
  String(one.sessions),
  String(one.commands),
  String(Object.values(one.denials).reduce((sum, count) => sum + count, 0)),
  (one.cpu_ms / MS_PER_HOUR).toFixed(2),
  one.memory_peak_bytes === undefined ? "-" : bytesInWords(one.memory_peak_bytes),
  ...[one.wall_ms?.p50, one.wall_ms?.p95, one.wall_ms?.max].map((ms) => (ms === undefined ? "-" : durationInWords(ms))),
];
