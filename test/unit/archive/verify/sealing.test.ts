import { describe, expect, test } from "vitest";
import { readSeals } from "../../../../src/archive/verify/seal.ts";
import { sealFiles, sealWriter } from "../../../../src/archive/verify/sealing.ts";

const KEY = new Uint8Array(32);
const RUN = { time: "2026-03-01T12:00:00.000Z", host: "builder", boot: "b" };
const SECOND = 1000;
const dayOf = (n: number) => new Date(Date.parse("2026-02-27") - n * 86_400_000).toISOString().slice(0, 10);

/** An archive whose files take a time to read, newest day first, as a scan lists them. */
function archive(teams: Readonly<Record<string, { readonly files: number; readonly ms: number }>>) {
  const lines: string[] = [];
  const read: string[] = [];
  let clock = 0;
  const files = Object.entries(teams)
    .flatMap(([team, { files }]) =>
      Array.from({ length: files }, (_, n) => ({
        ...{ team, day: dayOf(n), path: `${team}/${dayOf(n)}`, lines: () => [], bytes: () => 1 },
      })),
    )
    .sort((a, b) => b.day.localeCompare(a.day));
  const known = () => lines.map((line, at) => ({ number: at + 1, bytes: Buffer.from(line.trimEnd()), tooLong: false }));
  const seal = (time = RUN.time, sha256 = "0".repeat(64)) => {
    const writer = sealWriter({
      ...{ path: "seals", key: KEY, lines: known, close: () => undefined },
      append: (line: string) => void lines.push(line),
    });
    return sealFiles(
      files,
      writer,
      {
        measure: ({ team, day }) => {
          read.push(`${team}/${day}`);
          clock += teams[team]?.ms ?? 0;
          return { size: 1, lines: 1, sha256, at: new Map([[1, { sha256, lines: 1 }]]) };
        },
        free: async () => undefined,
        unread: new Set(),
        elapsed: () => clock,
      },
      { ...RUN, time },
    );
  };
  return { seal, read, minutes: () => clock / 60_000, last: () => readSeals(KEY, known(), "seals").seals.at(-1) };
}

describe("a run of the seals", () => {
  test("takes the teams in turns, the newest day first", async () => {
    const { seal, read } = archive({ alpha: { files: 2, ms: 1 }, beta: { files: 2, ms: 1 } });
    await seal();
    const [newest, before] = [dayOf(0), dayOf(1)];
    expect(read).toEqual([`alpha/${newest}`, `beta/${newest}`, `alpha/${before}`, `beta/${before}`]);
  });

  test("ends although a team has more to read than there is time, names its files, and goes on in the next run", async () => {
    const { seal, last, minutes } = archive({ alpha: { files: 10, ms: 10 * SECOND }, beta: { files: 30, ms: SECOND } });
    const { sealed, failed } = await seal();
    expect(sealed.filter(({ team }) => team === "beta")).toHaveLength(30);
    expect(sealed.filter(({ team }) => team === "alpha").map(({ day }) => day)).toEqual([0, 1, 2, 3, 4, 5].map(dayOf));
    expect(failed.map(({ message }) => message)).toContain(
      `alpha/${dayOf(9)}: not sealed: the time of this run is used up, and the next run continues`,
    );
    expect(last()).toMatchObject({ ends: true, without: [9, 8, 7, 6].map((n) => `alpha/${dayOf(n)}`) });
    expect(minutes()).toBe(1.5);
    expect((await seal()).sealed.map(({ day }) => day)).toEqual([6, 7, 8, 9].map(dayOf));
    expect(last()).toMatchObject({ ends: true });
    expect(last()).not.toHaveProperty("without");
  });

  test("ends in time however many teams have too much to read", async () => {
    const names = Array.from({ length: 40 }, (_, n) => `team${String(n).padStart(2, "0")}`);
    const { seal, last, minutes } = archive(
      Object.fromEntries(names.map((name) => [name, { files: 60, ms: 10 * SECOND }])),
    );
    await seal();
    expect(minutes()).toBeLessThanOrEqual(11);
    expect(last()).toMatchObject({ ends: true, without: names });
  });

  test("reads no team's changed files beyond its time to mark a day in which nothing grew", async () => {
    const { seal, last, minutes } = archive({ alpha: { files: 10, ms: 10 * SECOND }, beta: { files: 1, ms: SECOND } });
    for (const minute of ["00", "10"]) await seal(`2026-02-27T12:${minute}:00.000Z`);
    const before = minutes();
    await seal(RUN.time, "1".repeat(64));
    expect(minutes() - before).toBeLessThanOrEqual(1.1);
    expect(last()).toMatchObject({ time: "2026-02-27T12:10:00.000Z" });
  });
});
