import { type BusProperty, busProperty } from "../../scope/bus-properties.ts";
import type { Plan } from "../../scope/plan.ts";
import type { UnitsBeside } from "../systemd/system-manager.ts";

/** The folder of the socket of Nix's garbage collector; `nixgate apply` makes it. */
export const GC_SOCKET_FOLDER = "/nix/var/nix/gc-socket";
/** UINT64_MAX, systemd's infinity. */
const NO_BOUND = 0xffff_ffff_ffff_ffffn;
const OPEN_FILES = 1_048_576n; // as nix-daemon.service of Nix has it
const GROUP_CONNECTS = 0o660;
const US_PER_MS = 1000;

/**
 * The units beside a command whose builds share its limits. systemd makes them together with the command's unit, in one
 * call. They all end with that unit, whatever becomes of the supervisor.
 *
 * - The slice has the limits. It is stopped when no unit of it is left.
 * - The socket is root's, and the account's group may connect. The account cannot open it to others by its mode.
 * - The service starts at the first connection. Its daemon is root's, in the command's slice from its first moment, so
 *   its builds are too. A garbage collector needs a socket in a folder that this daemon cannot write to, so a client
 *   cannot collect what other teams need (LocalStore::collectGarbage() of Nix 2.5 and newer).
 * @param gid the account's primary group
 */
export function unitsBeside(plan: Plan, gid: number): UnitsBeside | undefined {
  const { buildDaemon: daemon } = plan;
  if (daemon === undefined) return undefined;
  const together: readonly BusProperty[] = [
    ["Slice", "s", plan.slice],
    ["BindsTo", "as", [plan.unit]],
    ["CollectMode", "s", "inactive-or-failed"],
  ];
  return {
    needs: daemon.socket,
    units: [
      {
        name: plan.slice,
        properties: [
          ["Description", "s", `${plan.description}, and its builds`],
          ["StopWhenUnneeded", "b", true],
          ...plan.sliceProperties.map(busProperty),
        ],
      },
      {
        name: daemon.socket,
        properties: [
          ["Description", "s", `Socket of Nix for ${plan.description}`],
          ...together,
          ["Listen", "a(ss)", [["Stream", daemon.path]]],
          ["SocketGroup", "s", String(gid)],
          ["SocketMode", "u", GROUP_CONNECTS],
          ["RemoveOnStop", "b", true],
        ],
      },
      {
        name: daemon.service,
        properties: [
          ["Description", "s", `Builds of ${plan.description}`],
          ...together,
          ["ExecStart", "a(sasb)", [[daemon.argv[0], ["nix-daemon", ...daemon.argv.slice(1)], false]]],
          ["Environment", "as", [`NIX_CONF_DIR=${daemon.confFolder}`, "NIX_USER_CONF_FILES=/dev/null"]],
          ["PrivateTmp", "b", true], // what a build that was killed leaves there goes with the service
          ["ReadOnlyPaths", "as", [GC_SOCKET_FOLDER]],
          ["OOMPolicy", "s", "continue"], // Nix tells its client which build the kernel has ended
          ["TasksMax", "t", NO_BOUND], // the slice's holds
          ["LimitNOFILE", "t", OPEN_FILES],
          ["TimeoutStopUSec", "t", BigInt(plan.stopTimeout * US_PER_MS)],
        ],
      },
    ],
  };
}
