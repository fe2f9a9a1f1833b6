import type { Checked, Policy } from "./policy.ts";
import { allowRule } from "./rules/allow-rules.ts";
import { buildsOf } from "./rules/build-rules.ts";
import { withDefaultLimits } from "./rules/limit-rules.ts";
import { policyFindings } from "./rules/policy-rules.ts";
import { caKeys } from "./schema/ca.ts";
import { SESSION } from "./schema/defaults.ts";
import { memberOf, PolicyFile } from "./schema/policy-schema.ts";
import { readSource } from "./source/read-source.ts";

/**
 * Reads one team's policy: TOML, or JSON where the path ends in `.json`. All problems are reported at once, with two
 * exceptions. A text that is not valid TOML or JSON has only that problem. Rules between keys are checked only where
 * each key is right.
 * @param path names the file in problems, and its last part must be the team's name
 */
export async function readPolicy(text: string, path: string): Promise<Checked<Policy>> {
  return readSource({ path, text }, PolicyFile, (file) => policyFindings(file, path), policy);
}

function policy(file: PolicyFile): Policy {
  const { session = {}, store } = file;
  return {
    team: file.team,
    description: file.description ?? "",
    allow: (file.allow ?? []).map(allowRule),
    limits: withDefaultLimits(file.limits),
    teamLimits: file.team_limits ?? {},
    session: {
      maxConcurrent: session.max_concurrent ?? SESSION.maxConcurrent,
      maxStartsPerMinute: session.max_starts_per_minute ?? SESSION.maxStartsPerMinute,
      maxCommands: session.max_commands ?? SESSION.maxCommands,
      lineMaxBytes: session.line_max_bytes ?? SESSION.lineMaxBytes,
      readTimeout: session.read_timeout ?? SESSION.readTimeout,
      clientGoneGrace: session.client_gone_grace ?? SESSION.clientGoneGrace,
      stopTimeout: session.stop_timeout ?? SESSION.stopTimeout,
    },
    store: store?.root === undefined ? { mode: "daemon" } : { mode: "dedicated", root: store.root },
    builds: buildsOf(file.builds),
    members: (file.member ?? []).map(memberOf),
    ca: caKeys(file.ca),
  };
}
