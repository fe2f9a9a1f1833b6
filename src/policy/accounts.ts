import type { Policy } from "./policy.ts";

/**
 * The accounts that serve a team: one named like the team, or `nix-` and the team's name. A policy has no account of
 * its own to name, and one account must never serve two teams (its processes share a uid).
 */
export const accountsOf = ({ team }: Pick<Policy, "team">): readonly string[] => [team, `nix-${team}`];
