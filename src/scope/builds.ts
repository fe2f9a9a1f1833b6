import type { HostConfig, Policy } from "../policy/policy.ts";
import { digest } from "../units/digest.ts";
import type { SessionId, TeamName } from "../units/ids.ts";
import { buildUnitNames, unitName } from "./names.ts";
import { nixConf } from "./nix-conf.ts";

/** The daemon that builds for one command, in the command's own slice. */
export interface BuildDaemon {
  /** The units' names. systemd starts the service when the first client connects to the socket. */
  readonly socket: string;
  readonly service: string;
  /** The folder of sockets and settings of the team; only root and the account's group can enter it. */
  readonly folder: string;
  /** The socket's path; the account's group may connect. */
  readonly path: string;
  /** The folder of nix.conf, named by its text. */
  readonly confFolder: string;
  /** The text of nix.conf. */
  readonly conf: string;
  readonly argv: readonly [string, ...string[]];
}

/** The sockets and settings for the builds of a team, in the folder of its FIFO. */
const buildsFolder = (team: TeamName): string => `/run/nixgate/${team}/builds`;

const DIGEST_LENGTH = 16;

/** @param n the number of the command in its session */
export function planBuildDaemon(
  { builds, team }: Policy,
  { scope, programs }: HostConfig,
  { session, n, account }: { readonly session: SessionId; readonly n: number; readonly account: string },
): BuildDaemon | undefined {
  const program = programs["nix-daemon"];
  if (builds.boundedBy === "host" || scope.manager !== "system" || program === undefined) return undefined;
  const folder = buildsFolder(team);
  const conf = nixConf(builds, account);
  return {
    ...buildUnitNames(unitName(team, session, n)),
    folder,
    path: `${folder}/${session}-${n}`,
    confFolder: `${folder}/${digest(conf, "hex").slice(0, DIGEST_LENGTH)}`,
    conf,
    // "local", or a daemon without a store of its own would connect to itself; Nix writes its client's pid over the first
    // argument
    argv: [program, "--daemon", "--store", "local"],
  };
}

/** The variables that lead Nix's programs to the daemon, and to its settings. */
export const buildsEnvironment = (daemon: BuildDaemon | undefined): Readonly<Record<string, string>> =>
  daemon === undefined
    ? {}
    : { NIX_REMOTE: "daemon", NIX_DAEMON_SOCKET_PATH: daemon.path, NIX_CONF_DIR: daemon.confFolder };
