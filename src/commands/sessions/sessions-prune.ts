import type { DayFile } from "../../archive/archive.ts";
import { placeOf } from "../../archive/finding.ts";
import { provenMoment } from "../../archive/proven-age.ts";
import { isOlder, type Pruned, type PruneRun, pruneFiles } from "../../archive/pruning.ts";
import { readingWithin } from "../../archive/reading-time.ts";
import { wrongDays } from "../../archive/verify/acknowledged.ts";
import type { Seal } from "../../archive/verify/seal.ts";
import { type Measure, type SealStore, sealWriter } from "../../archive/verify/sealing.ts";
import type { Arguments, Command } from "../../cli/command.ts";
import { optionsOnly, textOption } from "../../cli/options.ts";
import { UsageError } from "../../cli/usage-error.ts";
import { bytesInWords, plural } from "../../record/wording.ts";
import { parseDuration } from "../../units/durations.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { escapeText } from "../../units/text.ts";
import { FILES, openFiles } from "../shared/archive-options.ts";
import { jsonDocument } from "../shared/json-document.ts";
import { problemList, type SessionsPorts } from "./sessions-ports.ts";
import { type OpenSeals, SEAL_HELP, SEAL_OPTIONS, sealDirectoryOf, withProgress } from "./verify/seal-options.ts";

export interface PruneCommandPorts extends SessionsPorts {
  readonly openSeals: OpenSeals;
  createDigester(directory: string): Measure;
  /** Whether something keeps this host's clock right. */
  isClockSynchronised(): boolean;
  readonly machine: { readonly host: string; readonly boot: string };
  /** Milliseconds of a clock that nobody sets. */
  elapsed(): number;
  /** @throws RecordError E_LOG_WRITE */
  createRemover(directory: string): (file: DayFile) => void;
}

const DAY_MS = 86_400_000;

export const sessionsPrune: Command<PruneCommandPorts> = {
  name: "sessions prune",
  summary: "remove old days of records, and record what they were",
  usage: `--older-than AGE [--team T] [--dry-run] [--damaged] [--clock-is-right] [--json] [--seal-dir DIR] ${FILES.usage}`,
  help: `Removes the record files of whole days (UTC) that ended longer than AGE ago. It first seals a note of each file, so that
\`nixgate sessions verify\` does not report it. A file that is removed in another way is a finding. Run it as root. It does not
ask for confirmation, and prints each removed file.

  --older-than AGE   90d, 12w, 36h: at least a day
  --team T           only this team's
  --dry-run          print what would be removed, and remove nothing
  --damaged          also remove files in which verify finds more than a crash; without it they are kept as evidence
  --clock-is-right   go by the clock alone
  --json             one JSON document
${SEAL_HELP}

A clock that is wrong must not make young records old. Where the kernel calls the clock synchronised (timedatectl(1)), prune goes
by the clock. Elsewhere a time in which nothing was recorded or sealed counts in full up to a quarter of AGE, or a day; a
longer one counts as one day. prune then says how many days it keeps although the clock calls them old.

A day with a session that is still running is kept. A day that the clock showed by mistake (\`nixgate sessions acknowledge
--clock-was-wrong\`) is as old as its last seal. The files of one team are read for at most half an hour. Files that it has no
time for are kept, with a message, and the next run continues.
Exit status: 0; 64 for a wrong option; 65 if a damaged file was kept; 73 if the key or the seals cannot be opened; 74
if a file cannot be read or removed; 75 if a day was kept because of a running session, or because the clock may be wrong.
`,
  options: {
    ...SEAL_OPTIONS,
    "older-than": { type: "string" },
    team: { type: "string" },
    "dry-run": { type: "boolean" },
    damaged: { type: "boolean" },
    "clock-is-right": { type: "boolean" },
    json: { type: "boolean" },
  },
  async run({ positionals, options }, ports) {
    optionsOnly("sessions prune", positionals);
    const age = ageIn(options);
    const byClock = dayOf(ports.now() - age);
    const isRight = options["clock-is-right"] === true || ports.isClockSynchronised();
    const how = { dryRun: options["dry-run"] === true, damaged: options["damaged"] === true };
    const team = textOption(options, "team");
    const problems = problemList();
    const { archive, files } = await openFiles(options, ports, problems.report);
    // A dry run makes neither key nor seals; where they are missing, it uses none.
    const store = how.dryRun
      ? await ports.openSeals(sealDirectoryOf(options), archive.directory, { write: false }).catch(() => NO_STORE)
      : await ports.openSeals(sealDirectoryOf(options), archive.directory, { write: true });
    const run = { time: new Date(ports.now()).toISOString(), ...ports.machine };
    const { directory } = archive;
    const [isAlive, remove] = [ports.liveness(), ports.createRemover(directory)];
    const within = readingWithin(ports.elapsed);
    const measure = withProgress(within.boundedDigester(ports.createDigester(directory)), "pruning", ports);
    try {
      const writer = sealWriter(store);
      const before = isRight ? byClock : dayOf(provenMoment(daysOnRecord(files, writer.seals), ports.now(), age) ?? 0);
      const own = files.filter((file) => team === undefined || file.team === team);
      const old = own.filter((file) => isOlder(file, before, writer.seals));
      const held = own.filter((file) => isOlder(file, byClock, writer.seals)).length - old.length;
      if (held > 0) problems.report({ path: directory, what: heldBack(held, byClock) });
      const pruned = [...pruneFiles(old.map(within.bounded), writer, { isAlive, measure, remove }, { ...run, ...how })];
      archive.scan(); // a scan removes the index of files that are gone
      for (const { findings } of pruned)
        for (const finding of findings) problems.report({ path: placeOf(finding), what: finding.what });
      const stdout =
        options["json"] === true
          ? jsonDocument({ before, before_by_clock: byClock, held_back: held, ...how, files: pruned })
          : asText(pruned, before, how);
      return { status: statusOf(pruned, held), stdout, stderr: problems.text() };
    } finally {
      store.close();
    }
  },
};

const NO_STORE: SealStore = {
  path: "",
  key: new Uint8Array(0),
  lines: () => [],
  append: () => undefined,
  close: () => undefined,
};

/** The age in milliseconds. */
function ageIn(options: Arguments["options"]): number {
  const age = textOption(options, "older-than");
  if (age === undefined)
    throw new UsageError("sessions prune needs --older-than", { hint: "such as --older-than 90d" });
  const parsed = parseDuration(age);
  if (typeof parsed !== "number")
    throw new UsageError(`--older-than: ${escapeText(parsed.problem)}`, { hint: parsed.fix });
  if (parsed < DAY_MS)
    throw new UsageError(`--older-than ${escapeText(age)}: less than a day`, { hint: "write 1d or more" });
  return parsed;
}

/** Days before this one are over. */
const dayOf = (moment: number): string => new Date(moment).toISOString().slice(0, 10);

/** Days on which this host was at work, as far as that is on record. */
function daysOnRecord(files: readonly DayFile[], seals: readonly Seal[]): readonly string[] {
  const wrong = wrongDays(seals);
  const days = [...files.map(({ day }) => day), ...seals.map(({ time }) => time.slice(0, 10))];
  return days.filter((day) => !wrong.has(day));
}

const heldBack = (count: number, byClock: string): string =>
  `${plural(count, "file")} before ${byClock} kept: the clock is not synchronised, and too little is on record since; \
if the clock is right, say --clock-is-right`;

function statusOf(pruned: readonly Pruned[], held: number): number {
  const kept = (why: Pruned["kept"]) => pruned.some((file) => file.kept === why);
  if (kept("unreadable")) return ExitStatus.ioError;
  if (kept("damaged")) return ExitStatus.malformed;
  return kept("running") || held > 0 ? ExitStatus.busy : ExitStatus.ok;
}

const KEPT = {
  running: "kept: a session of it is still running",
  damaged: "kept: verify finds something in it (--damaged removes it nevertheless)",
  unreadable: "kept: it cannot be read",
} as const;

function asText(pruned: readonly Pruned[], before: string, { dryRun }: Pick<PruneRun, "dryRun">): string {
  const verb = dryRun ? "would be removed" : "removed, on record";
  const lines = pruned.map(({ path, sessions, records, size, kept }) => {
    const what = `${plural(sessions, "session")}, ${plural(records, "record")}, ${bytesInWords(size)}`;
    return `${path}: ${what}: ${kept === undefined ? verb : KEPT[kept]}`;
  });
  const gone = pruned.filter(({ kept }) => kept === undefined).length;
  const sum = `${plural(gone, "file")} before ${before} ${dryRun ? "would be removed" : "removed"}, ${pruned.length - gone} kept`;
  return [...lines, sum].map((line) => `${escapeText(line)}\n`).join("");
}
