import type { Guest } from "./support.ts";

/** What differs between a guest whose sessions nixgate serves one by one, and one with a resident supervisor. */
export const supervised = (guest: Guest): boolean => guest.state.manager === "system";

/** The cgroup of the manager that makes a team's scopes, below the mount; to be expanded by sh. */
const managerOf = (guest: Guest, team: string): string =>
  supervised(guest) ? "" : `/user.slice/user-$(id -u nix-${team}).slice/user@$(id -u nix-${team}).service`;

/** The folder of a team's slice; to be expanded by sh. */
export const sliceFolder = (guest: Guest, team = "alpha"): string =>
  `/sys/fs/cgroup${managerOf(guest, team)}/nixgate.slice/nixgate-${team}.slice`;

/** Asks the manager that makes a team's scopes. @returns what systemctl(1) printed */
export async function systemctl(guest: Guest, words: string, team = "alpha"): Promise<string> {
  const { stdout } = supervised(guest)
    ? await guest.asRoot(`systemctl ${words}`)
    : await guest.asAccount(`nix-${team}`, `systemctl --user ${words}`);
  return `${stdout}`.trim();
}
