import { SUITES, type Suite } from "./debian.ts";
import { MachineUsage } from "./error.ts";
import type { GuestOptions } from "./guest.ts";
import { KERNEL_SUITES } from "./kernel.ts";
import { MANAGERS, type Manager } from "./state.ts";

/**
 * Reads the guest's options from the environment: SUITE, KERNEL, NAME, MEM and MANAGER.
 * @throws MachineUsage that names the variable
 */
export function settings(environment: NodeJS.ProcessEnv): Omit<GuestOptions, "outlives"> {
  const { SUITE = "trixie", NAME = "default", MEM = "1536M", MANAGER = "user", KERNEL } = environment;
  if (!SUITES.includes(SUITE as Suite)) throw new MachineUsage(`SUITE=${SUITE}: no such suite`, SUITES.join(", "));
  if (KERNEL !== undefined && !SUITES.includes(KERNEL as Suite))
    throw new MachineUsage(`KERNEL=${KERNEL}: no such suite`, SUITES.join(", "));
  if (!/^[a-z][a-z0-9-]{0,31}$/.test(NAME))
    throw new MachineUsage(`NAME=${NAME}: not a name`, "use small letters, digits and dashes");
  if (!/^\d{3,5}M$/.test(MEM)) throw new MachineUsage(`MEM=${MEM}: not a size`, "write it as 1536M");
  if (!MANAGERS.includes(MANAGER as Manager))
    throw new MachineUsage(`MANAGER=${MANAGER}: no such manager`, MANAGERS.join(" or "));
  const kernels = KERNEL === undefined ? KERNEL_SUITES : [KERNEL as Suite];
  return { name: NAME, suite: SUITE as Suite, memory: MEM, manager: MANAGER as Manager, kernels };
}
