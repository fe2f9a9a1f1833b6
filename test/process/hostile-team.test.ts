import { execFileSync } from "node:child_process";
import {
  appendFileSync,
  chmodSync,
  chownSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { beforeAll, describe, expect, test } from "vitest";
import { DAMAGE_MAX } from "../../src/archive/bounds.ts";
import type { Finding } from "../../src/archive/finding.ts";
import { startTicks } from "../../src/system/kernel/process-group.ts";
import type { SessionId } from "../../src/units/ids.ts";
import { nixgate } from "../support/nixgate.ts";
import { HERE as here, NOBODY } from "../support/processes.ts";
import { bodies, sessionLines } from "../support/records.ts";
import { temporaryFolder, writeArchive } from "../support/temporary.ts";

const [ALPHA_UID, BETA_UID] = [65_533, 65_532];
const [DAY, LATER] = ["2026-01-05", "2026-01-06"];
const TODAY = new Date().toISOString().slice(0, 10);
const AT = `${DAY}T03:12:00Z`;
const ESCAPES = "\u001b]0;x\u0007\u202e";
const of = (team: string) => ({ ...here, team });

const beta = {
  whole: sessionLines(AT, undefined, of("beta")),
  lost: sessionLines(`${LATER}T04:00:00Z`, [{ ...bodies.start, pid: NOBODY }, bodies.run], of("beta")),
  now: sessionLines(`${TODAY}T00:00:01Z`, undefined, of("beta")),
};
const BETA = {
  [`beta/${DAY}`]: beta.whole.lines.join(""),
  [`beta/${LATER}`]: beta.lost.lines.join(""),
  [`beta/${TODAY}`]: beta.now.lines.join(""),
};

const alive = { ...bodies.start, pid: process.pid, started_ticks: startTicks("self") };
const own = (said: Parameters<typeof sessionLines>[1], more = {}, at: string = AT) =>
  sessionLines(at, said, { ...of("alpha"), ...more }).lines.join("");
const deep = `{"v":1,"x":${"[".repeat(300_000)}\n`;

/** Everything that an account can do to its own team's folder. */
function spoil(log: string): void {
  const folder = join(log, "alpha");
  mkdirSync(folder);
  const put = (name: string, text: string) => writeFileSync(join(folder, name), text);
  const sameId = { team: "beta", session: beta.whole.session as SessionId };
  const forgeries = [
    own([alive, bodies.end], { team: "beta" }),
    own([
      { ...alive, member: ESCAPES, user: ESCAPES },
      { ...bodies.run, request: ESCAPES },
    ]),
    own([{ ...bodies.start, pid: NOBODY }], sameId),
    own([bodies.start, bodies.end], { ...sameId, team: "alpha" }),
    own([bodies.start, bodies.end], { host: "another-host" }),
    own(undefined).replace("10.0.0.5", "10.0.0.6"), // a byte of the chain
  ];
  put(`${DAY}.jsonl`, forgeries.join(""));
  put(
    `${LATER}.jsonl`,
    own(
      [{ ...bodies.start, pid: NOBODY }, ...Array.from({ length: 2000 }, (_, n) => ({ ...bodies.run, n }))],
      {},
      `${LATER}T03:00:00Z`,
    ),
  );
  put(`${TODAY}.jsonl`, forgeries.join("") + deep + deep);
  put("2026-01-01.jsonl", "x\n".repeat(2 * DAMAGE_MAX));
  put("2026-01-02.jsonl", "x".repeat(20_000_000));
  put("2026-01-03.jsonl", "");
  truncateSync(join(folder, "2026-01-03.jsonl"), 2 ** 40);
  mkdirSync(join(folder, "2026-01-04.jsonl"));
  symlinkSync(join(log, `beta/${DAY}.jsonl`), join(folder, "2026-01-07.jsonl"));
  execFileSync("mkfifo", [join(folder, "2026-01-08.jsonl")]);
  for (const day of ["9999-99-99", "2999-01-01", "0000-00-00"]) put(`${day}.jsonl`, forgeries.join(""));
  for (const name of [`.refusals-${TODAY}`, ".refusals-held", `x${ESCAPES}`]) put(name, `${ESCAPES}\n`.repeat(1000));
  truncateSync(join(folder, ".refusals-held"), 2 ** 40);
  for (let n = 0; n < 5000; n += 1) put(`.${n}`, "");
  for (const name of [".", ...readdirSync(folder)])
    if (name !== "2026-01-07.jsonl") chownSync(join(folder, name), ALPHA_UID, ALPHA_UID);
}

const calm = { log: "", seals: "", config: "" };
const spoiled = { ...calm };

function place(into: typeof calm): void {
  into.log = writeArchive(BETA);
  chmodSync(into.log, 0o755); // recover writes with the rights of a folder's owner
  for (const name of [".", ...readdirSync(join(into.log, "beta"))])
    chownSync(join(into.log, "beta", name), BETA_UID, BETA_UID);
  into.seals = join(temporaryFolder("seals"), "lib");
  into.config = temporaryFolder("config");
  writeFileSync(join(into.config, "nixgate.toml"), `schema = 1\n[log]\ndirectory = "${into.log}"\njournald = false\n`);
}

/** What a command says of both archives, each without its paths. */
async function both(words: string, trust = false) {
  const answers = await Promise.all(
    [calm, spoiled].map(async ({ log, seals, config }) => {
      const more = [...(trust ? ["--seal-dir", seals] : []), "--config-dir", config];
      const answer = await nixgate([...words.split(" "), ...more]);
      const text = (bytes: Buffer | string) => bytes.toString().replaceAll(log, "LOG").replaceAll(seals, "SEALS");
      return { status: answer.status, out: text(answer.stdout), said: text(answer.stderr) };
    }),
  );
  return answers as [(typeof answers)[0], (typeof answers)[0]];
}
const parsed = async (words: string, trust = false) => (await both(words, trust)).map(({ out }) => JSON.parse(out));

describe.skipIf(process.geteuid?.() !== 0)(
  "beside a team whose folder has every trick at once, another team's (needs root)",
  () => {
    beforeAll(() => {
      for (const one of [calm, spoiled]) place(one);
      spoil(spoiled.log);
    });

    test.each([
      "list --team beta --json",
      "stats --team beta --json",
      "export --team beta",
      "export --team beta --format ecs",
      "export --team beta --format csv",
    ])(
      "sessions %s says the same",
      async (words) => {
        const [quiet, loud] = await both(`sessions ${words}`);
        expect(loud.out).toBe(quiet.out);
        expect(quiet.out).toContain(words.startsWith("stats") ? "beta" : beta.whole.session);
        expect(loud.said.replaceAll(ESCAPES, "raw")).not.toContain("raw");
      },
      60_000,
    );

    test("rows of list, stats, report and prometheus are the same without --team, and show finds the session", async () => {
      const rows = (await parsed("sessions list --json")).map((all) =>
        all.filter(({ team }: { team: string }) => team === "beta"),
      );
      expect(rows[1]).toEqual(rows[0]);
      expect(rows[0]).toHaveLength(3);
      const sums = (await parsed("sessions stats --json")).map(({ teams }) =>
        teams.find(({ team }: { team: string }) => team === "beta"),
      );
      expect(sums[1]).toEqual(sums[0]);
      const figures = (await both("render prometheus")).map(({ out }) =>
        out.split("\n").filter((line) => line.includes('team="beta"')),
      );
      expect(figures[1]).toEqual(figures[0]);
      expect(figures[0]).toContain('nixgate_sessions_total{team="beta"} 1');
      const [quiet, loud] = await both(`sessions show beta/${beta.whole.session} --json`);
      expect(loud).toMatchObject({ status: 0, out: quiet.out });
      const [, page] = await both("sessions report");
      expect(page).toMatchObject({ status: 0, out: expect.stringContaining(beta.whole.session.slice(-12)) });
      expect(page.out).not.toMatch(/[\u001b\u202e]/);
    }, 60_000);

    test("lost session alone is ended by recover, and its files are the same afterwards", async () => {
      const ended = (await parsed("recover --json")).map(({ recovered }) =>
        recovered
          .filter(({ team }: { team: string }) => team === "beta")
          .map(({ session, commands }: { session: string; commands: number }) => [session, commands]),
      );
      expect(ended).toEqual([[[beta.lost.session, 1]], [[beta.lost.session, 1]]]);
      const events = [calm, spoiled].map(({ log }) =>
        [DAY, LATER, TODAY].map((day) =>
          readFileSync(join(log, `beta/${day}.jsonl`), "utf8").match(/"event":"[a-z.]+"/g),
        ),
      );
      expect(events[1]).toEqual(events[0]);
    }, 60_000);

    test("days are sealed, and a later forgery in them is found, while nothing is found before", async () => {
      const ofBeta = async () =>
        (await parsed("sessions verify --no-journal --json", true)).map(({ findings }) =>
          findings
            .filter(({ path }: Finding) => path.includes("/beta/"))
            .map(({ kind, line }: Finding) => `${kind}:${line}`),
        );
      await both("sessions seal", true);
      expect(await ofBeta()).toEqual([[], []]);
      for (const { log } of [calm, spoiled])
        appendFileSync(
          join(log, `beta/${DAY}.jsonl`),
          sessionLines(`${DAY}T09:00:00Z`, undefined, of("beta")).lines.join(""),
        );
      expect(await ofBeta()).toEqual([["late:6"], ["late:6"]]);
      const [, pruned] = await parsed("sessions prune --older-than 1d --dry-run --json", true);
      const kept = pruned.files
        .filter(({ team }: { team: string }) => team === "beta")
        .map(({ day, kept: why }: { day: string; kept?: string }) => [day, why]);
      expect(kept).toEqual([
        [DAY, undefined],
        [LATER, undefined],
      ]);
    }, 60_000);
  },
);
