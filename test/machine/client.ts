import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { execa } from "execa";
import type { Suite } from "../../tools/machine/debian.ts";
import type { Say } from "../../tools/machine/error.ts";
import { image } from "../../tools/machine/image.ts";
import { contained } from "../../tools/machine/processes.ts";
import { type GuestState, runFolder } from "../../tools/machine/state.ts";
import { ADDRESS, inNetwork } from "../../tools/machine/talk.ts";
import { type Outcome, outcome } from "./support.ts";

export interface Client {
  /** Runs a program of the client's suite, as root, in the guest's network. */
  run(
    command: readonly string[],
    options?: { input?: Uint8Array; env?: Readonly<Record<string, string>> },
  ): Promise<Outcome>;
  /** The guest as a store: `ssh://nix-alpha@192.0.2.2`. */
  store(scheme: "ssh" | "ssh-ng", user: string): string;
}

/**
 * A Nix client of a suite, with a store of its own that lasts as long as the guest. It is no guest itself: its
 * programs run on this host, in namespaces, over the tree that the suite's image was made from.
 */
export async function clientNix(guest: GuestState, suite: Suite, say: Say = () => {}): Promise<Client> {
  const { tree } = await image(suite, say);
  const layer = join(runFolder(guest.name), `client-${suite}`);
  mkdirSync(layer, { recursive: true });
  const script = join(import.meta.dirname, "../../tools/machine/guest/client.sh");
  return {
    run: async (command, { input = new Uint8Array(), env = {} } = {}) => {
      const settings = { NIX_SSHOPTS: "-o StrictHostKeyChecking=yes", NIX_REMOTE: "local", ...env };
      const variables = Object.entries(settings).map(([name, value]) => `${name}=${value}`);
      const [file, words] = contained("sh", script, tree, layer, "env", ...variables, ...command);
      const [enter, ...network] = [...inNetwork(guest), file, ...words] as [string, ...string[]];
      return outcome(
        await execa(enter, network, { input, reject: false, encoding: "buffer", stripFinalNewline: false }),
      );
    },
    store: (scheme, user) => `${scheme}://${user}@${ADDRESS}`,
  };
}
