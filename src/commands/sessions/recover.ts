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
  summary: "end the records of lost sessions and what they left",
  usage: "[--team T] [--json] [--config-dir DIR]",
  help: `Looks for sessions of this host that have a session.start, no session.end, and nobody left who serves them: nixgate
was killed, or the machine went down. What is left of their scopes is stopped, and their records are ended with the
cause supervisor-lost, or by what the journal has and a full disk has not taken. The resident supervisor is asked which
sessions it serves; those, and all others that run, are left alone, however long they have been silent. It may run at any time,
also twice at once; each session does it at its start for the latest records of its own team.

The teams take turns, and each has 30 s. What is left then is said, with status 74, and the next run does it.

root does it for all teams, an account for the folders that it owns. Nothing changes its owner.

  --team T           only this team
  --json             one JSON document
  --config-dir DIR   where nixgate.toml is, /etc/nixgate by default

Exit status: 0, also where there was nothing to do; 64 for a wrong option; 74 where records cannot be read or written;
78 where nixgate.toml is invalid.
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
  silent: "is left alone: the supervisor has not said in time whether it serves it",
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
