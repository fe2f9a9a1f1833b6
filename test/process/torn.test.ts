import { hostname } from "node:os";
import { describe, expect, test } from "vitest";
import type { Finding } from "../../src/archive/finding.ts";
import { nixgate } from "../support/nixgate.ts";
import { bodies, sessionLines } from "../support/records.ts";
import { temporaryFolder, writeArchive } from "../support/temporary.ts";

const DAY = "2026-01-05";
const said = [bodies.start, bodies.run, bodies.ran, bodies.end];
const here = { host: hostname() }; // whose processes are known to be gone
const before = sessionLines(`${DAY}T03:12:00Z`, said, here);
const killed = sessionLines(`${DAY}T04:12:00Z`, said, here);

/** What a kill -9 leaves: so many whole lines, and of the next one so many bytes. */
const LEFT = killed.lines.flatMap((line, whole) =>
  [0, 1, line.length >> 1, line.length - 2].map((bytes) => [whole, bytes] as const),
);

/** Every reader, with a word that it must say of the session in front of the torn one. */
const READERS: readonly (readonly [words: string, says: string])[] = [
  ["list", before.session],
  ["list --no-index", before.session],
  ["list --json", before.session],
  [`show ${before.session}`, "session ended: exit"],
  ["stats", "alpha"],
  ["export", before.session],
  ["export --format csv", before.session],
  ["report", before.session],
];

describe.each(LEFT)("behind %i whole lines of a session and %i bytes of the next", (whole, bytes) => {
  const torn = killed.lines[whole]?.slice(0, bytes) ?? "";
  const archive = () =>
    writeArchive({ [`alpha/${DAY}`]: [...before.lines, ...killed.lines.slice(0, whole), torn].join("") });
  const ask = (log: string, words: string) =>
    nixgate(["sessions", ...words.split(" "), "--log-dir", log], {
      env: { ...process.env, XDG_CACHE_HOME: temporaryFolder("cache") },
    });

  test("every reader reads whole records and reports torn ones", async () => {
    const log = archive();
    const read = async ([words, says]: (typeof READERS)[number]) => {
      const { status, stdout, stderr } = await ask(log, words);
      expect(status, `${words}: ${stderr}`).toBe(0);
      expect(stdout.toString(), words).toContain(says);
      if (bytes > 0 && !words.startsWith("show")) expect(`${stdout}${stderr}`, words).toMatch(/torn/);
    };
    await Promise.all(READERS.map(read));
  });

  test("verify names the torn line and the session without an end, and nothing else", async () => {
    const { stdout } = await ask(archive(), "verify --no-journal --json");
    const kinds = JSON.parse(stdout.toString()).findings.map(({ kind }: Finding) => kind);
    expect(kinds.sort()).toEqual([...(bytes > 0 ? ["torn"] : []), ...(whole > 0 ? ["unended"] : [])]);
  });
});
