import type { Archive, DayFile } from "../../archive/archive.ts";
import type { Recovered, RecoverPorts } from "../../archive/lost/recover.ts";
import { recoverFiles } from "../../archive/lost/recover-files.ts";
import { type Unended, unendedIn } from "../../archive/lost/unended.ts";
import type { Command } from "../../cli/command.ts";
import { optionsOnly, textOption } from "../../cli/options.ts";
import { RecordError } from "../../record/error.ts";
import { localTime, plural } from "../../record/wording.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { escapeText } from "../../units/text.ts";
import { CONFIG_OPTIONS } from "../shared/config-options.ts";
import { jsonDocument } from "../shared/json-document.ts";
import { problemList } from "./sessions-ports.ts";

export interface RecoverCommandPorts {
  open(configDirectory: string | undefined): Promise<{
    readonly archive: Archive;
    readonly ports: RecoverPorts & { flush(): Promise<unknown> };
    /** Whether this caller may write to the file's folder. */
    mayClose(file: DayFile): boolean;
    /** The supervisor's answer about sessions without an end; undefined where no supervisor runs. */
    readonly resident: { readonly served: readonly string[]; readonly late: readonly string[] } | "silent" | undefined;
  }>;
}

export const recover: Command<RecoverCommandPorts> = {
  name: "recover",
  summary: "end the records of lost sessions and their leftovers",
  usage: "[--team T] [--json] [--config-dir DIR]",
  help: `Looks for sessions of this host that have a session.start, no session.end, and no process that serves them: nixgate was
killed, or the machine went down. It stops the rest of their scopes. It ends their records with the cause supervisor-lost,
or with records from the journal that a full disk did not take. It asks the resident supervisor which sessions it serves.
Running sessions are not changed, however long they have been silent. The command may run at any time, also twice at once.
Each session does the same at its start for the latest records of its own team.

The teams take turns, and each has 30 s. The command then prints what is left and ends with status 74. The next run continues.

Root recovers the sessions of all teams, and an account those in the folders that it owns. No file changes its owner.

  --team T           only this team
  --json             one JSON document
  --config-dir DIR   the configuration folder, /etc/nixgate by default

Exit status: 0, also if there was nothing to do; 64 for a wrong option; 74 if records cannot be read or written;
78 if nixgate.toml is invalid.
`,
  options: { team: { type: "string" }, json: { type: "boolean" }, ...CONFIG_OPTIONS },
  async run({ positionals, options }, { open }) {
    optionsOnly("recover", positionals, "it finds the sessions itself");
    const { archive, ports, mayClose, resident } = await open(textOption(options, "config-dir"));
    const team = textOption(options, "team");
    const problems = problemList();
    const { files: all, problems: strange } = archive.scan();
    strange.forEach(problems.report);
    const files = all.filter((file) => (team === undefined || file.team === team) && mayClose(file));
    const { recovered, failed, notes } = await recoverFiles(files, ports);
    await ports.flush();
    const left = leftAlone(files, resident);
    // Another team's folder may be denied to an account: only its own is this caller's matter.
    const isUnread = strange.some(({ unread, denied }) => unread && !denied);
    const errors = failed.map(({ code, message, hint }) => ({ code, message, hint }));
    return {
      status: failed.length > 0 || isUnread ? ExitStatus.ioError : ExitStatus.ok,
      stdout: options["json"] === true ? jsonDocument({ recovered, left, failed: errors }) : asText(recovered, left),
      stderr: problems.text() + notes.map((note) => `${note}\n`).join("") + failed.map(failedText).join(""),
    };
  },
};

const failedText = ({ message, hint }: RecordError) => `${message}${hint === undefined ? "" : `; ${hint}`}\n`;

/** A session without an end that this command does not end. */
interface Left {
  readonly session: string;
  readonly team: string;
  readonly why: "late" | "silent";
}

const WHY_LEFT = {
  late: "has ended; the supervisor writes its last records as soon as the disk takes them",
  silent: "is not changed: the supervisor did not answer in time whether it serves the session",
} as const;

/** Sessions that the supervisor keeps from being ended, with the reason. Sessions that it serves are simply running. */
function leftAlone(
  files: readonly DayFile[],
  resident: Awaited<ReturnType<RecoverCommandPorts["open"]>>["resident"],
): readonly Left[] {
  const late = new Set(resident === undefined || resident === "silent" ? [] : resident.late);
  if (resident === undefined || (resident !== "silent" && late.size === 0)) return [];
  const why = resident === "silent" ? "silent" : "late";
  return files.flatMap((file) =>
    lostIn(file)
      .filter(({ start }) => (why === "late" ? late.has(start.session) : start.isolation === "scope-system"))
      .map(({ start: { session, team } }) => ({ session, team, why })),
  );
}

/** None of a file that cannot be read, which is told already. */
function lostIn(file: DayFile): readonly Unended[] {
  try {
    return unendedIn(file);
  } catch (error) {
    if (error instanceof RecordError) return [];
    throw error;
  }
}

function asText(recovered: readonly Recovered[], left: readonly Left[]): string {
  if (recovered.length + left.length === 0) return "nothing to recover\n";
  const kept = left.map(({ session, team, why }) => `${escapeText(`${session}  team ${team}: ${WHY_LEFT[why]}`)}\n`);
  const ended = recovered
    .map(({ session, team, member, start, commands, stopped, ended }) => {
      const who = member === undefined ? `team ${team}` : `team ${team}, member ${member}`;
      const also = stopped.length === 0 ? "" : `; stopped ${stopped.join(", ")}`;
      const how = ended
        ? `its last records were in the journal: ${ended.cause}, status ${ended.exit}`
        : `ended on record, ${plural(commands, "command")} without an end`;
      return `${session}  ${who}, since ${localTime(start)}: ${how}${also}`;
    })
    .map((line) => `${escapeText(line)}\n`);
  return [...ended, ...kept].join("");
}
