import type { Policy } from "./policy.ts";

/**
 * The accounts that may serve a team: the team's name, or `nix-` and the team's name. A policy cannot name an account,
 * because one account must never serve two teams (its processes share a uid).
 */
export const accountsOf = ({ team }: Pick<Policy, "team">): readonly string[] => [team, `nix-${team}`];
