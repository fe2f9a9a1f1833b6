import { resolve } from "node:path";
import type { SessionsPorts } from "../commands/sessions-ports.ts";
import { CONFIG_DIR } from "./places.ts";

export async function ownFiles() {
  const { configFiles } = await import("../system/config-files.ts");
  return configFiles([process.getuid?.() ?? 0]);
}

export async function configuring() {
  const { configure } = await import("../session/configuration.ts");
  const files = await ownFiles();
  return (team: string, member: string | undefined, directory = CONFIG_DIR) =>
    configure(files, resolve(directory), team, member);
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
  const [{ openArchive }, { livenessHere }] = await Promise.all([
    import("../system/archive.ts"),
    import("../system/liveness.ts"),
  ]);
  return {
    async archive({ logDirectory, configDirectory, journal }) {
      if (journal) return (await import("../system/journal-archive.ts")).openJournalArchive(journal);
      return openArchive(logDirectory ?? (await hostConfig(configDirectory)).log.directory);
    },
    liveness: livenessHere,
    now: Date.now,
  };
}

export async function trustPorts() {
  const { trustPorts } = await import("../system/trust-ports.ts");
  const wantsJournal = async (directory?: string) => (await hostConfig(directory)).log.journald;
  return { ...(await sessionsPorts()), ...trustPorts(), wantsJournal };
}
