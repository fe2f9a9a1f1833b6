import { createServer, type Server } from "node:net";
import { AdmissionUnavailable } from "../session/admission-unavailable.ts";
import type { Admission, Slot } from "../session/ports.ts";
import { readKernelFile } from "../system/kernel/kernel-files.ts";

/**
 * The kernel keeps the slots. A process that listens on an abstract Unix socket (unix(7)) owns its name. No other
 * process can have the name at the same time, and it is free as soon as the process is gone for any reason. Lock files
 * would remain, and Node has no flock(2). All accounts of the host share these names within one network namespace. Any
 * account could take slots away from sessions; none can get more sessions than there are slots.
 */
export function createSlots(listing = readListing): Admission["takeSlot"] {
  let listed: string | undefined;
  return async (name, most) => {
    listed ??= listing();
    const taken = takenSlots(listed, name);
    // after a configuration was reduced, slots with higher numbers are still held
    if (taken.size >= most) return undefined;
    for (let step = 0; step < most; step += 1) {
      const number = (process.pid + step) % most; // processes that start at the same moment begin at different slots
      if (taken.has(number)) continue;
      const slot = await listenOn(`nixgate/${name}/${number}`);
      if (slot) return slot;
    }
    return undefined;
  };
}

/** The numbers of the taken slots of a name, from the text of /proc/net/unix (proc_net_unix in proc(5)). */
export function takenSlots(listing: string, name: string): ReadonlySet<number> {
  const path = ` @nixgate/${name}/`; // the kernel shows the first NUL of an abstract name as @
  const ends = listing.split(path).slice(1);
  const numbers = ends.map((end) => /^\d+(?=\n)/.exec(end)?.[0]).filter((number) => number !== undefined);
  return new Set(numbers.map(Number));
}

/** Without a listing, each name is tried in turn. */
const readListing = (): string => readKernelFile("/proc/net/unix") ?? "";

function listenOn(name: string): Promise<Slot | undefined> {
  const server = createServer();
  server.maxConnections = 0; // the socket only reserves its name (0 drops every connection from Node.js 21 on)
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") return resolve(undefined);
      const hint = "check the limits of the account's open files, and at security modules";
      reject(new AdmissionUnavailable(`sessions cannot be counted: ${error.code} (listen)`, { hint, cause: error }));
    });
    server.listen({ path: `\0${name}`, exclusive: true, backlog: 1 }, () => resolve(held(server)));
  });
}

function held(server: Server): Slot {
  server.unref(); // a slot keeps no process alive
  return { giveBack: () => void server.close() };
}
