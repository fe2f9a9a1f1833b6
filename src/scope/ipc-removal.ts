import type { SessionId, TeamName } from "../units/ids.ts";
import type { BusProperty } from "./bus-properties.ts";
import { ipcUnitName, sliceName } from "./names.ts";
import type { Property } from "./properties.ts";

/** In microseconds, for the bus. What is not removed by then stays until the account's next last session. */
const WITHIN_US = 10_000_000n;

const PROPERTIES: readonly Property[] = [
  { name: "TasksMax", value: "16" },
  { name: "MemoryMax", value: "64M" },
];

/** It sees the host's /dev/shm and /dev/mqueue and the host's IPC namespace, and changes nothing else. */
const SANDBOX: readonly { readonly bus: BusProperty }[] = (
  [
    ["Type", "s", "oneshot"],
    ["TimeoutStartUSec", "t", WITHIN_US],
    ["NoNewPrivileges", "b", true],
    ["CapabilityBoundingSet", "t", 0n],
    ["ProtectSystem", "s", "strict"],
    ["ProtectHome", "s", "yes"],
    ["PrivateNetwork", "b", true],
    ["RestrictNamespaces", "t", 0n],
  ] as const
).map((bus) => ({ bus }));

/** A service that removes what an account's processes left that is no process. */
export interface IpcRemoval {
  readonly name: string;
  readonly slice: string;
  readonly description: string;
  readonly properties: readonly Property[];
  readonly argv: readonly [string, ...string[]];
  readonly streams: readonly [string, string, string];
  readonly confinement: typeof SANDBOX;
}

/**
 * It runs as the account and in the team's slice. So the kernel lets it remove nothing that the account could not remove
 * itself, and the team pays for it. systemd's own way, RemoveIPC= of systemd.exec(5), makes PID 1 descend into folders of
 * the account's, each in a call of a function of its own (clean-ipc.c, systemd 257): deep enough ones would end PID 1.
 * @param session the one that ended last
 */
export function ipcRemoval(team: TeamName, session: SessionId, uid: number): IpcRemoval {
  // Folders of other accounts are not entered: another team could fill them, and the removal would take its whole time.
  const all = "find /dev/shm /dev/mqueue -xdev -mindepth 1";
  const open = `${all} ! -user ${uid} -prune -o -type d ! -perm -700 -exec chmod u+rwx {} \\;`;
  const remove = `${all} -maxdepth 1 -user ${uid} -exec rm -rf --one-file-system -- {} +`;
  const script = `${open}; ${remove}; ipcrm --all; exit 0`;
  return {
    name: ipcUnitName(team, session),
    slice: sliceName(team),
    description: `nixgate: removal of what sessions of team ${team} left in memory`,
    properties: PROPERTIES,
    argv: ["/bin/sh", "-c", script],
    streams: ["/dev/null", "/dev/null", "/dev/null"],
    confinement: SANDBOX,
  };
}
