import { chmodSync, mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { execa } from "execa";
import { expect, test } from "vitest";
import { ASKED, incident } from "../support/incident.ts";
import { exported, importJournal, noJournalRemote } from "../support/journal-export.ts";
import { page } from "../support/markdown.ts";
import { temporaryFolder, writeArchive } from "../support/temporary.ts";

const LOG = "/var/log/nixgate";
const JOURNAL = "/var/log/journal";
/** Ten minutes before somebody asks. */
const SEALED = ASKED - 600_000;
/** What is typed and what is answered, block by block; `…` alone in a line stands for any lines. */
const dialogue = [...page("incident").matchAll(/^```console\n([\s\S]*?)^```$/gm)]
  .flatMap(([, block]) => `\n${block}`.split(/\n[$#] /).slice(1))
  .map((said) => ({ command: said.split("\n")[0] ?? "", answer: said.split("\n").slice(1).join("\n").trimEnd() }));

/** A `nixgate` for a shell: the built program, with a clock that stands still. */
function wrapper(): string {
  const folder = temporaryFolder("bin");
  const clock = resolve("test/fixtures/programs/fixed-clock.cjs");
  const path = join(folder, "nixgate");
  const program = `"${resolve("dist/node")}" --require "${clock}" "${resolve("bin/nixgate.cjs")}"`;
  writeFileSync(
    path,
    `#!/bin/sh
case $2 in seal | verify) set -- "$@" --seal-dir "$SEALS" ;; esac
exec ${program} "$@" --log-dir "$LOG"
`,
  );
  chmodSync(path, 0o755);
  return folder;
}

const pattern = (answer: string) =>
  new RegExp(`^${answer.replace(/[.*+?^${}()|[\]\\]/g, "\\$&").replaceAll(/^…$/gm, "[\\s\\S]*?")}$`);

/** A folder with a journal that has all copies, sent by whoever owns the files. */
function journalOf(files: Readonly<Record<string, string>>): string {
  const folder = temporaryFolder("journal");
  const lines = Object.values(files).flatMap((text) => text.split(/(?<=\n)/));
  mkdirSync(join(folder, "journal"));
  importJournal(join(folder, "journal/system.journal"), exported(lines, process.getuid?.()));
  return join(folder, "journal");
}

test(`docs/incident.md shows what its commands really print${noJournalRemote ? `, all but verify (${noJournalRemote})` : ""}`, async () => {
  expect(dialogue.map(({ command }) => command.split(" ").slice(0, 3).join(" "))).toEqual(
    expect.arrayContaining([
      "nixgate sessions list",
      "nixgate sessions show",
      "nixgate sessions stats",
      "nixgate sessions report",
      "nixgate sessions export",
      "nixgate sessions verify",
    ]),
  );
  const files = incident();
  const directory = writeArchive(files);
  const journal = noJournalRemote ? "" : journalOf(files);
  const environment = {
    PATH: `${wrapper()}:/usr/bin:/bin`,
    LOG: directory,
    SEALS: temporaryFolder("seals"),
    TZ: "UTC",
  };
  const cwd = temporaryFolder("asked");
  const run = (command: string, clock: number) =>
    execa("/bin/sh", ["-c", command], {
      all: true,
      reject: false,
      cwd,
      env: { ...environment, FIXED_CLOCK: String(clock) },
    });
  expect((await run("nixgate sessions seal", SEALED)).exitCode).toBe(0);
  for (const { command, answer } of dialogue) {
    if (noJournalRemote && command.includes("verify")) continue;
    const { all } = await run(command.replaceAll(LOG, directory).replaceAll(JOURNAL, journal), ASKED);
    const said = all.replaceAll(directory, LOG).replace(/by (?:root|uid \d+)/, "by uid 990");
    expect(said.trimEnd(), command).toMatch(pattern(answer));
  }
});
