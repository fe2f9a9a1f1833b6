import { resolve } from "node:path";
import type { OutputPorts } from "../commands/sessions-output.ts";
import type { PrintingPorts, SessionsPorts } from "../commands/sessions-ports.ts";
import type { Parsers } from "../policy/parsers.ts";
import { CONFIG_DIR } from "./places.ts";

export async function ownFiles() {
  const { configFiles } = await import("../system/config-files.ts");
  return configFiles([process.getuid?.() ?? 0]);
}

export async function configuring(parsers?: Parsers) {
  const { configure } = await import("../session/configuration.ts");
  const files = await ownFiles();
  return (team: string, member: string | undefined, directory = CONFIG_DIR) =>
    configure(files, resolve(directory), team, member, parsers);
}

export async function renderPorts() {
  const [{ uidOf }, { writeRendered }] = await Promise.all([
    import("../system/accounts.ts"),
    import("../system/write-rendered.ts"),
  ]);
  return { files: await ownFiles(), uidOf, write: writeRendered };
}

/** @throws ConfigError */
export async function hostConfig(directory = CONFIG_DIR) {
  const [{ loadHost }, { ConfigError }] = await Promise.all([
    import("../policy/load.ts"),
    import("../policy/config-error.ts"),
  ]);
  const { checked, code } = await loadHost(await ownFiles(), directory);
  if (!checked.ok) throw new ConfigError(code, checked.problems);
  return checked.value;
}

export async function sessionsPorts(): Promise<SessionsPorts> {
  const [{ openArchive }, { livenessHere }, { indexFolder }, { progressLine }] = await Promise.all([
    import("../system/archive.ts"),
    import("../system/liveness.ts"),
    import("../system/index-folder.ts"),
    import("../system/progress.ts"),
  ]);
  const progress = progressLine();
  return {
    ...(progress && { progress }),
    async archive({ logDirectory, configDirectory, index, journal }) {
      if (journal) return (await import("../system/journal-archive.ts")).openJournalArchive(journal);
      const directory = logDirectory ?? (await hostConfig(configDirectory)).log.directory;
      return openArchive(directory, index ? indexFolder(directory) : undefined);
    },
    liveness: livenessHere,
    now: Date.now,
  };
}

export async function outputPorts(): Promise<OutputPorts> {
  const { openOutput } = await import("../system/output-file.ts");
  return { ...(await sessionsPorts()), output: openOutput };
}

export async function printingPorts(): Promise<PrintingPorts> {
  const { write } = await import("../system/leave.ts");
  return { ...(await sessionsPorts()), print: (text) => write(1, text) };
}

export async function trustPorts() {
  const { trustPorts } = await import("../system/trust-ports.ts");
  const wantsJournal = async (directory?: string) => (await hostConfig(directory)).log.journald;
  return { ...(await sessionsPorts()), ...trustPorts(), wantsJournal };
}
