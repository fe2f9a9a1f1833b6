import { join } from "node:path";
import { cacheFolder } from "./cache.ts";
import { type GuestState, runFolder } from "./state.ts";

/** The guest's address in its own network namespace; every guest's is the same. */
export const ADDRESS = "192.0.2.2";

/** The words before a command that is to run on the host, but in the guest's network. */
export const inNetwork = (guest: Pick<GuestState, "holder">): [string, ...string[]] => [
  "nsenter",
  `--net=/proc/${guest.holder.pid}/ns/net`,
  "--",
];

/** The folder of the client's key and the server's; ssh-ed25519 is what `keys` makes. */
const key = () => cacheFolder("keys", "ssh-ed25519", "id");

/** Options for every ssh: nothing of the caller's configuration, no question, no host key written down. */
export const sshOptions = (): string[] => [
  ...["-F", "none", "-q", "-i", key()],
  ...["IdentitiesOnly=yes", "BatchMode=yes", "ConnectTimeout=10"].flatMap((option) => ["-o", option]),
  // A guest that is gone sends no reset: its interface went with it.
  ...["ServerAliveInterval=5", "ServerAliveCountMax=4"].flatMap((option) => ["-o", option]),
  ...["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"].flatMap((option) => ["-o", option]),
];

/** The command that asks the guest's sshd, as a client would. @param options more of ssh(1)'s */
export const sshCommand = (guest: GuestState, user: string, words: readonly string[], options: string[] = []) => [
  ...inNetwork(guest),
  ...["ssh", ...sshOptions(), ...options, `${user}@${ADDRESS}`, ...words],
];

/** Where a connection of root's waits to be shared, while a test run holds one (ssh_config(5), ControlMaster). */
export const rootSocket = (guest: GuestState): string => join(runFolder(guest.name), "root.sock");
