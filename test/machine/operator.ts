import { waitFor } from "../support/wait-for.ts";
import { systemctl } from "./managers.ts";
import { allow, restorePolicies } from "./policies.ts";
import { recordsOf } from "./records.ts";
import { type Guest, test as plain } from "./support.ts";

/** Team alpha's clients may sleep for a minute or a second. */
export const test = plain.extend<{ builder: Guest }>({
  builder: [
    async ({ guest }, use) => {
      await restorePolicies(guest);
      await allow(guest, "alpha", { wait: ["/bin/sleep", "60"], second: ["/bin/sleep", "1"] });
      await use(guest);
      await restorePolicies(guest);
    },
    { scope: "file" },
  ],
});

export const text = async (guest: Guest, command: string) => `${(await guest.asRoot(command)).stdout}`.trim();

/** Starts a session that sleeps, and gives back its id and the promise of its end once the command runs. */
export async function sleeping(guest: Guest) {
  const before = (await recordsOf(guest, "alpha", "command.start")).length;
  const ended = guest.ssh("nix-alpha", "wait");
  const start = await waitFor("command.start", async () => (await recordsOf(guest, "alpha", "command.start"))[before]);
  await waitFor("the command itself", () => text(guest, "pgrep -u nix-alpha -x sleep"));
  return { ended, session: start.session, unit: start.unit as string };
}

export const scopesOf = (guest: Guest) => systemctl(guest, "list-units --no-legend --plain 'nixgate-*.scope'");
