import { pressureKey, type Room } from "../../decision/host-room.ts";
import { type HostConfig, leastOf, PRESSURES } from "../../policy/policy.ts";
import { type PolicyFinding, warningAt } from "../../policy/problem.ts";
import { bytesInWords as readable } from "../../record/wording.ts";
import { formatBytes } from "../../units/bytes.ts";
import type { HostLook } from "./host-look.ts";

/** The rules of `[admission]` that admit no session on this host, or have no effect there. */
export const admissionWarnings = (host: HostConfig, look: HostLook): readonly PolicyFinding[] => [
  ...memoryWarning(host, look),
  ...pressureWarnings(host, look),
  ...storeWarnings(host, look),
];

function memoryWarning({ admission }: HostConfig, { memory }: HostLook): readonly PolicyFinding[] {
  const { minAvailableMemory } = admission;
  if (minAvailableMemory < memory) return [];
  const message = `${formatBytes(minAvailableMemory)} is all that this host has (${readable(memory)}) or more, so no session is admitted`;
  return [warningAt(["admission", "min_available_memory"], message, 'write what shall stay free, such as "256M"')];
}

/** The kernel's default is CONFIG_PSI_DEFAULT_DISABLED, and psi= overrides it (Documentation/admin-guide). */
function pressureWarnings({ admission }: HostConfig, look: HostLook): readonly PolicyFinding[] {
  return PRESSURES.flatMap((resource) => {
    if (admission.maxPressure[resource] === undefined || look.pressure(resource) !== undefined) return [];
    const message = `this kernel does not tell the ${resource} pressure in /proc/pressure/${resource}, so no session is admitted`;
    return [
      warningAt(["admission", pressureKey(resource)], message, "boot Linux 4.20 or newer with psi=1, or remove it"),
    ];
  });
}

function storeWarnings({ admission }: HostConfig, look: HostLook): readonly PolicyFinding[] {
  const { minFreeStore, minFreeStoreInodes } = admission;
  const rules = [
    { key: "min_free_store", least: minFreeStore, of: "bytes", example: "10G" },
    { key: "min_free_store_inodes", least: minFreeStoreInodes, of: "inodes", example: "5%" },
  ] as const;
  const set = rules.filter(({ least }) => least !== 0);
  const room = set.length > 0 ? look.storeRoom() : undefined;
  return set.flatMap(({ key, least, of, example }) => {
    const problem = problemWith(least, room?.[of]);
    return problem ? [warningAt(["admission", key], problem, `write what shall stay free, such as "${example}"`)] : [];
  });
}

function problemWith(least: number | `${number}%`, room: Room | undefined): string | undefined {
  if (!room) return "the file system of /nix/store cannot be measured, so no session is admitted";
  if (room.all === 0) return "the file system of /nix/store has no fixed number of inodes, so this has no effect";
  if (leastOf(least, room.all) < room.all) return undefined;
  return "this is all that the file system of /nix/store has, or more, so no session is admitted";
}
