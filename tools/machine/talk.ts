import { join } from "node:path";
import { cacheFolder } from "./cache.ts";
import { type GuestState, runFolder } from "./state.ts";

/** The guest's address in its own network namespace. All guests have the same one. */
export const ADDRESS = "192.0.2.2";

/** The words before a command that runs on the host, but in the guest's network namespace. */
export const inNetwork = (guest: Pick<GuestState, "holder">): [string, ...string[]] => [
  "nsenter",
  `--net=/proc/${guest.holder.pid}/ns/net`,
  "--",
];

/** The path of the client's key. `keys` makes an ssh-ed25519 key. */
const key = () => cacheFolder("keys", "ssh-ed25519", "id");

/** Options for every ssh: no configuration of the caller, no prompt, no stored host key. */
export const sshOptions = (): string[] => [
  ...["-F", "none", "-q", "-i", key()],
  ...["IdentitiesOnly=yes", "BatchMode=yes", "ConnectTimeout=10"].flatMap((option) => ["-o", option]),
  // A guest that was killed sends no TCP reset: its interface is gone as well.
  ...["ServerAliveInterval=5", "ServerAliveCountMax=4"].flatMap((option) => ["-o", option]),
  ...["StrictHostKeyChecking=no", "UserKnownHostsFile=/dev/null"].flatMap((option) => ["-o", option]),
];

/** The command that asks the guest's sshd, as a client would. @param options more of ssh(1)'s */
export const sshCommand = (guest: GuestState, user: string, words: readonly string[], options: string[] = []) => [
  ...inNetwork(guest),
  ...["ssh", ...sshOptions(), ...options, `${user}@${ADDRESS}`, ...words],
];

/** The socket of root's shared connection, while a test run holds one (ssh_config(5), ControlMaster). */
export const rootSocket = (guest: GuestState): string => join(runFolder(guest.name), "root.sock");
