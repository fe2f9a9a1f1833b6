import { spawnSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import type { Finding } from "../../src/archive/finding.ts";
import { FAILURE_ID } from "../../src/record/journal-entry.ts";
import { noJournald, withJournald } from "../support/journald.ts";
import { nixgate } from "../support/nixgate.ts";
import { answerOf, startSession } from "../support/run-session.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { workplace } from "../support/workplace.ts";

const noStrace = spawnSync("strace", ["true"]).status === 0 ? undefined : "needs strace";
const today = "$(date -u +%F)";

/** What is in the way, in a mount namespace of the script's own, and the status that a refused session ends with. */
const FAULTS: readonly (readonly [name: string, status: number, prepare: string])[] = [
  ["a disk that is full", 74, "mount -t tmpfs -o size=8k,mode=755 none LOG; cat /dev/zero >LOG/fill 2>/dev/null"],
  ["a disk without inodes", 73, "mount -t tmpfs -o nr_inodes=1,mode=755 none LOG"],
  ["a disk that is read-only", 73, "mount -t tmpfs -o ro,mode=755 none LOG"],
  ["a folder that is missing", 73, "rmdir LOG"],
  ["a link in the folder's place", 73, "ln -s /etc LOG/alpha"],
  ["a link in the file's place", 73, `mkdir LOG/alpha; ln -s /etc/passwd LOG/alpha/${today}.jsonl`],
];

/** The kernel's answer is exchanged by strace(1): EIO is what a failing disk says. */
const FAILING_DISK: typeof FAULTS = [
  [
    "EIO when the first record is made durable",
    74,
    'WRAP="strace -f -qq -o /dev/null -e inject=fdatasync:error=EIO:when=1"',
  ],
  [
    "EIO when the second record is written",
    74,
    `mkdir -p LOG/alpha; f=LOG/alpha/${today}.jsonl; umask 027; : >$f; WRAP="strace -f -qq -o /dev/null -P $f -e inject=write:error=EIO:when=2"`,
  ],
];

/** One session that meets a fault, and what the journal has of it. */
function meet(prepare: string, onFailure: string) {
  const place = workplace();
  const journal = join(place.folder, "journal");
  mkdirSync(journal);
  place.edit("nixgate.toml", "journald = false", `journald = true\non_failure = "${onFailure}"`);
  place.allow("echo", ["/bin/echo", "ran"]);
  const { status, stdout, stderr } = withJournald(place, journal, `${prepare}\nserve echo`);
  const words = ["--directory", journal, "--output=json", "--all", "SYSLOG_IDENTIFIER=nixgate"];
  const entries = spawnSync("journalctl", words, { encoding: "utf8" }).stdout.trimEnd().split("\n");
  return {
    place,
    status,
    stdout,
    stderr,
    entries: entries.map((entry) => JSON.parse(entry) as Record<string, string>),
  };
}

const faults = noStrace ? FAULTS : [...FAULTS, ...FAILING_DISK];

describe.skipIf(noJournald)(
  `records that cannot be written (${noJournald ?? noStrace ?? "beside a real journald"})`,
  () => {
    test.each(faults)(
      '%s refuses with %i by on_failure = "refuse", and the journal has why',
      (_, expected, prepare) => {
        const { status, stdout, stderr, entries } = meet(prepare, "refuse");
        expect({ status, stdout }).toEqual({ status: expected, stdout: "" });
        expect(stderr).toMatch(/^nixgate: the session cannot be recorded \(session [0-9a-f-]{36}\)$/m);
        const refusal = entries.find((entry) => entry["NIXGATE_EVENT"] === "session.refuse");
        expect(JSON.parse(refusal?.["NIXGATE_RECORD"] ?? "{}")).toMatchObject({ reason: "log-unavailable" });
        expect(refusal?.["MESSAGE"]).toMatch(/cannot write records|could not be written/);
      },
    );

    test.each(faults)(
      '%s does not keep it from running by on_failure = "continue", and that is said',
      (_, __, prepare) => {
        const { status, stdout, stderr, entries } = meet(prepare, "continue");
        expect({ status, stdout }).toEqual({ status: 0, stdout: "ran\n" });
        expect(stderr).toMatch(/^nixgate: this session continues without being recorded \(session [0-9a-f-]{36}\)\n$/);
        const said = entries.filter((entry) => entry["MESSAGE_ID"] === FAILURE_ID);
        expect(said).toEqual([expect.objectContaining({ PRIORITY: "3", NIXGATE_TEAM: "alpha" })]);
        const events = entries.map((entry) => entry["NIXGATE_EVENT"]).filter(Boolean);
        expect(events.sort()).toEqual(["command.end", "command.start", "session.end", "session.start"]);
      },
    );
  },
);

describe.skipIf(noJournald ?? noStrace)(
  `a record that the file did not take at first is written before the next one (${noJournald ?? noStrace ?? "EIO by strace"})`,
  () => {
    const [, , prepare = ""] = FAILING_DISK.at(-1) ?? [];
    const inFile = ({ place }: ReturnType<typeof meet>) => place.records().map(({ seq, event }) => `${seq} ${event}`);
    const verified = async ({ place }: ReturnType<typeof meet>) => {
      const { stdout } = await nixgate(["sessions", "verify", "--log-dir", place.log, "--no-journal", "--json"]);
      return JSON.parse(stdout.toString()).findings.map(({ kind }: Finding) => kind);
    };

    test("the file says how the session ended, and verify finds nothing", async () => {
      const ran = meet(prepare, "continue");
      expect(inFile(ran)).toEqual(["0 session.start", "1 command.start", "2 command.end", "3 session.end"]);
      expect(ran.place.records().at(-1)).toMatchObject({ exit: 0, cause: "exit" });
      expect(await verified(ran)).toEqual([]);
    });

    test("a refusal stands in the file too", async () => {
      const refused = meet(prepare, "refuse");
      expect(inFile(refused)).toEqual(["0 session.start", "1 command.start", "2 session.refuse", "3 session.end"]);
      expect(refused.place.records()[2]).toMatchObject({ reason: "log-unavailable" });
      expect(await verified(refused)).toEqual([]);
    });
  },
);

test.skipIf(noStrace)("session.start is on disk before the first command begins (needs strace)", async () => {
  const place = workplace();
  place.allow("echo", ["/bin/echo", "ran"]);
  const trace = join(temporaryFolder("trace"), "calls");
  const calls = "trace=execve,fdatasync";
  const strace = ["strace", "-f", "-qq", "-o", trace, "-e", calls];
  const { status } = await answerOf(startSession(place, { request: "echo", through: strace }));
  expect(status).toBe(0);
  const lines = spawnSync("cat", [trace], { encoding: "utf8" }).stdout.split("\n");
  const durable = lines.findIndex((line) => /fdatasync\(\d+\) += 0/.test(line));
  const command = lines.findIndex((line) => line.includes('execve("/bin/echo"'));
  expect(durable).toBeGreaterThan(0);
  expect(command).toBeGreaterThan(durable);
});
