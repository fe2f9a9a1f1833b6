import { ConfigError } from "../../policy/config-error.ts";
import type { Problem } from "../../policy/policy.ts";
import { madeBy, named } from "../../render/made-by.ts";
import { type ApplyPorts, planFor } from "../host/apply-ports.ts";
import { CONFIG_DIRECTORY } from "../shared/config-options.ts";

/** A part of the path to a program that accounts other than root could replace. */
export interface UnsafePart {
  readonly path: string;
  readonly uid: number;
  readonly mode: number;
}

export interface HostFindingsPorts extends ApplyPorts {
  /** The first part of the path to nixgate itself that sshd would refuse; undefined where there is none. */
  unsafeWay(): UnsafePart | undefined;
}

const MEND = "nixgate apply --yes, as root";

/**
 * The differences between this host and the configuration, and whether sshd would start this program. Only root can
 * tell. A configuration other than the host's own is checked where its files are installed.
 */
export async function hostFindings(directory: string, ports: HostFindingsPorts): Promise<readonly Problem[]> {
  if (!ports.isRoot || !isInUse(directory, ports)) return [];
  const way = ports.unsafeWay();
  try {
    const { steps, foreign } = await planFor(directory, ports);
    return [
      ...(way ? [unsafe(way)] : []),
      ...foreign.map((path) => warning(path, "is not made by nixgate from this configuration", "move it away")),
      ...steps.map((step) =>
        step.kind === "systemctl"
          ? warning(directory, `systemctl ${step.words.join(" ")} has not been done: ${step.why}`, MEND)
          : warning(step.path, step.kind === "write" ? step.why : `is ${step.why}`, MEND),
      ),
    ];
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return way ? [unsafe(way)] : []; // the command that reads the configuration reports its errors
  }
}

const isInUse = (directory: string, { filesOnHost }: ApplyPorts) =>
  directory === CONFIG_DIRECTORY ||
  [...filesOnHost([]).values()].some((text) => madeBy(text)?.configDirectory === named(directory));

const warning = (path: string, message: string, fix: string): Problem => ({
  severity: "warning",
  path,
  line: undefined,
  message,
  fix,
});

/** The warning that sshd would not start the program. */
export function unsafe({ path, uid, mode }: UnsafePart): Problem {
  const why = uid === 0 ? `mode ${mode.toString(8)}` : `uid ${uid}`;
  return warning(
    path,
    `accounts other than root could replace nixgate (${why}): sshd refuses an AuthorizedKeysCommand below it`,
    uid === 0
      ? `chmod go-w ${path}, or install nixgate below a folder that only root can write to`
      : `chown root ${path}`,
  );
}
