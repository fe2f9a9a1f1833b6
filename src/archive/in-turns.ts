import type { DayFile } from "./archive.ts";

/** Takes one file of each team, then the next of each, so that a team with many files does not delay the others. */
export function inTurns(files: readonly DayFile[]): readonly DayFile[] {
  const teams = [...Map.groupBy(files, ({ team }) => team).values()];
  const most = Math.max(0, ...teams.map(({ length }) => length));
  return Array.from({ length: most }, (_, turn) => teams.flatMap((own) => own[turn] ?? [])).flat();
}
