import { chmodSync, chownSync, existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { basename, dirname } from "node:path";
import type { BuildDaemon } from "../../scope/builds.ts";
import { buildUnitNames } from "../../scope/names.ts";
import { ScopeUnavailable } from "../../session/scope-unavailable.ts";
import { killWhole, MOUNT, processesOf } from "../../system/cgroup/cgroup.ts";
import type { HeldBuilds } from "../../system/cgroup/cgroup-scope.ts";
import { clock, sleep } from "../../system/kernel/clock.ts";
import type { SystemManager } from "../systemd/system-manager.ts";
import { GC_SOCKET_FOLDER } from "./build-units.ts";
import type { OutsideBuilds } from "./outside-builds.ts";

const GROUP_ENTERS = 0o750;
const ALL_ENTER = 0o755;
const ALL_READ = 0o644;
/** How often it is looked whether a build's processes have ended, in milliseconds. */
const LOOK_MS = 10;

/**
 * Writes the daemon's nix.conf, once for each text. The folder is root's, and the account reads it as well: its own
 * programs send their settings to the daemon.
 * @throws ScopeUnavailable
 */
export function prepareBuilds({ folder, confFolder, conf }: BuildDaemon, gid: number): void {
  if (!existsSync(GC_SOCKET_FOLDER))
    throw new ScopeUnavailable(`${GC_SOCKET_FOLDER} is missing, which bounded builds need: run nixgate apply`);
  const file = `${confFolder}/nix.conf`;
  if (existsSync(file)) return;
  try {
    makeBuildsFolder(folder, gid);
    mkdirSync(confFolder, { recursive: true });
    chmodSync(confFolder, ALL_ENTER); // whatever the umask
    writeFileSync(`${file}.new`, conf);
    chmodSync(`${file}.new`, ALL_READ);
    renameSync(`${file}.new`, file);
  } catch (error) {
    throw new ScopeUnavailable(`nix.conf of the builds cannot be written: ${String(error)}`, error);
  }
}

/**
 * systemd starts a command also where a unit that it only wants (Wants=) is missing. Without its socket no build could run.
 * @throws ScopeUnavailable
 */
export function requireSocket({ path, socket }: BuildDaemon): void {
  if (!existsSync(path)) throw new ScopeUnavailable(`${socket} has not started: see journalctl --unit ${socket}`);
}

/** Only root and the team's group get in. */
function makeBuildsFolder(folder: string, gid: number): void {
  mkdirSync(folder, { recursive: true });
  chownSync(folder, 0, gid);
  chmodSync(folder, GROUP_ENTERS);
}

/** What all sessions need of the supervisor to hold builds. */
export interface BuildKeeper {
  readonly manager: Pick<SystemManager, "stopUnit">;
  readonly outside: OutsideBuilds;
}

/**
 * The builds of a command in a slice of its own.
 * @param commandFolder the cgroup of the command's scope or service, absolute
 * @param stopTimeout how long a build may take to end, in milliseconds
 */
export function heldBuilds(commandFolder: string, stopTimeout: number, { manager, outside }: BuildKeeper): HeldBuilds {
  const units = buildUnitNames(basename(commandFolder));
  const slice = dirname(commandFolder);
  const daemonFolder = `${slice}/${units.service}`;
  return {
    commandFolder,
    daemonFolder,
    end: () => endBuilds(units, daemonFolder, stopTimeout, manager),
    onOutside: (callback) => outside.watch(slice.slice(MOUNT.length), callback),
  };
}

/**
 * Ends the builds of a command that has ended, and their daemon. A daemon's worker ends its build by itself when its
 * client has gone (MonitorFdHup of Nix), and lets go of its locks and folders; SIGTERM would only end the daemon. What
 * is left after `stopTimeout` is killed. Afterwards nobody can start a build in this slice any more.
 */
async function endBuilds(
  { socket, service }: ReturnType<typeof buildUnitNames>,
  folder: string,
  stopTimeout: number,
  manager: Pick<SystemManager, "stopUnit">,
): Promise<void> {
  await manager.stopUnit(socket);
  const end = clock.monotonic() + stopTimeout;
  while (processesOf(folder).length > 1 && clock.monotonic() < end) await sleep(LOOK_MS);
  if (processesOf(folder).length > 1) killWhole(folder);
  await manager.stopUnit(service);
}
