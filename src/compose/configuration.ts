import { resolve } from "node:path";
import type { ApplyPorts } from "../commands/host/apply-ports.ts";
import type { ClosingPorts } from "../commands/host/closing-ports.ts";
import type { LockingPorts } from "../commands/host/locking-ports.ts";
import type { SessionsKillPorts } from "../commands/sessions/kill/kill-ports.ts";
import type { OutputPorts } from "../commands/sessions/sessions-output.ts";
import type { PrintingPorts, SessionsPorts } from "../commands/sessions/sessions-ports.ts";
import type { Parsers } from "../policy/schema/parsers.ts";
import type { ForcedCommand } from "../session/forced-command.ts";
import { CONFIG_DIR, PROGRAM, VERSION } from "./paths.ts";

export async function ownFiles() {
  const { configFiles } = await import("../system/files/config-files.ts");
  return configFiles([process.getuid?.() ?? 0]);
}

export async function createConfigure(parsers?: Parsers) {
  const { configure } = await import("../session/configuration.ts");
  const files = await ownFiles();
  return (forced: ForcedCommand, directory = CONFIG_DIR) =>
    configure({ files, directory: resolve(directory), parsers }, forced);
}

/** The same ports for sessions that already run. */
export async function createConfigureRunning(parsers?: Parsers) {
  const { configureRunning } = await import("../session/configuration.ts");
  const files = await ownFiles();
  return (forced: ForcedCommand, directory = CONFIG_DIR) =>
    configureRunning({ files, directory: resolve(directory), parsers }, forced);
}

export async function renderPorts() {
  const [{ gidOf, uidOf }, { writeRendered }] = await Promise.all([
    import("../system/accounts/accounts.ts"),
    import("../system/files/write-rendered.ts"),
  ]);
  return { files: await ownFiles(), uidOf, gidOf, write: writeRendered };
}

/** @throws ConfigError */
export async function loadedHostConfig(directory = CONFIG_DIR) {
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
    import("../system/archive/archive.ts"),
    import("../system/lost/liveness.ts"),
    import("../system/archive/index-folder.ts"),
    import("../system/terminal/output.ts"),
  ]);
  const progress = progressLine();
  return {
    ...(progress && { progress }),
    async archive({ logDirectory, configDirectory, index, journal }) {
      if (journal) return (await import("../system/journal/journal-archive.ts")).openJournalArchive(journal);
      const directory = logDirectory ?? (await loadedHostConfig(configDirectory)).log.directory;
      return openArchive(directory, index ? indexFolder(directory) : undefined);
    },
    liveness: livenessHere,
    now: Date.now,
  };
}

export async function outputPorts(): Promise<OutputPorts> {
  const { openOutput } = await import("../system/files/output-file.ts");
  return { ...(await sessionsPorts()), output: openOutput };
}

export async function printingPorts(): Promise<PrintingPorts> {
  const { write } = await import("../system/terminal/output.ts");
  return { ...(await sessionsPorts()), print: (text) => write(1, text) };
}

export async function trustCommandPorts() {
  const { trustPorts } = await import("../system/archive/trust-ports.ts");
  const wantsJournal = async (directory?: string) => (await loadedHostConfig(directory)).log.journald;
  const { replaceFile } = await import("../system/files/write-rendered.ts");
  return { ...(await sessionsPorts()), ...trustPorts(), wantsJournal, replace: replaceFile };
}

export async function applyPorts(): Promise<ApplyPorts> {
  const [{ gidOf, uidOf }, { filesOnHost, observe, perform }] = await Promise.all([
    import("../system/accounts/accounts.ts"),
    import("../system/files/apply-host.ts"),
  ]);
  return {
    files: await ownFiles(),
    directory: (directory = CONFIG_DIR) => resolve(directory),
    ...{ uidOf, gidOf, filesOnHost, observe, perform, program: PROGRAM, version: VERSION },
    isRoot: process.geteuid?.() === 0,
  };
}

export async function findingsOnHost() {
  const [{ hostFindings }, { unsafeWay }, ports] = await Promise.all([
    import("../commands/config/host-findings.ts"),
    import("../system/kernel/unsafe-way.ts"),
    applyPorts(),
  ]);
  return (directory: string) => hostFindings(resolve(directory), { ...ports, unsafeWay: () => unsafeWay(PROGRAM) });
}

export async function closingPorts(): Promise<ClosingPorts> {
  const [{ putClosing, takeClosing }, { doer, putOnHostRecord }] = await Promise.all([
    import("../system/files/closing-files.ts"),
    import("../system/archive/host-records.ts"),
  ]);
  return {
    files: await ownFiles(),
    directory: (directory = CONFIG_DIR) => resolve(directory),
    log: async (directory) => (await loadedHostConfig(directory)).log,
    put: putClosing,
    take: takeClosing,
    doer,
    record: putOnHostRecord,
  };
}

export async function lockingPorts(): Promise<LockingPorts> {
  const [closing, killing, { changeLocks }] = await Promise.all([
    closingPorts(),
    killingPorts(),
    import("../system/files/locks-file.ts"),
  ]);
  return { ...closing, ...killing, changeLocks };
}

export async function killingPorts(): Promise<SessionsKillPorts> {
  const [{ sessionProcessToSignal }, { sleep }, { timeoutFor }] = await Promise.all([
    import("../system/kernel/session-process.ts"),
    import("../system/kernel/clock.ts"),
    import("../session/configuration.ts"),
  ]);
  const files = await ownFiles();
  return {
    ...(await sessionsPorts()),
    serving: sessionProcessToSignal,
    endTimeout: (directory = CONFIG_DIR, team) => timeoutFor(files, directory, team),
    sleep,
  };
}

/** The closings of this host, for the commands that read the records of the configured log folder. */
export async function closings(directory = CONFIG_DIR) {
  const { allClosings } = await import("../policy/closed.ts");
  return allClosings(await ownFiles(), resolve(directory));
}
