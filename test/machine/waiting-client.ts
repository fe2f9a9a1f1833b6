import { type ChildProcess, spawn } from "node:child_process";
import { sshCommand } from "../../tools/machine/talk.ts";
import { waitFor } from "../support/wait-for.ts";
import type { Guest } from "./support.ts";

/** A client that stays and reads nothing. Without a request it is in the line loop. Disposed of, it is killed. */
export function startClient(
  guest: Guest,
  request?: string,
  user = "nix-alpha",
  options: string[] = [],
): ChildProcess & Disposable {
  const [file, ...words] = sshCommand(guest.state, user, request === undefined ? [] : [request], options);
  const client = spawn(file as string, words, { stdio: "pipe" });
  return Object.assign(client, { [Symbol.dispose]: () => void client.kill("SIGKILL") });
}

/** Waits until the account has a process whose command line matches. */
export async function awaitProcess(guest: Guest, pattern: string, user = "nix-alpha"): Promise<void> {
  await waitFor(pattern, async () => (await guest.asRoot(`pgrep -u ${user} -f '${pattern}'`)).exitCode === 0);
}
