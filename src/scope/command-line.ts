import { limitRows } from "../policy/limits.ts";
import type { Limits, Manager } from "../policy/policy.ts";
import type { Property } from "./properties.ts";

/** The command's words are to reach it as they are; systemd-run knows the option from version 254 on. */
export const EXPAND_NOTHING = "--expand-environment=no";

interface Named {
  readonly manager: Manager;
  readonly unit: string;
  readonly slice: string;
  readonly description: string;
  readonly argv: readonly [string, ...string[]];
  readonly properties: readonly Property[];
  readonly environment: Readonly<Record<string, string>>;
}

/**
 * setpriv(1): no set-user-ID program gives the command what its account does not have. What runs as another account could
 * not be signalled by nixgate either, where it is the account's own (kill(2)).
 */
const WITHOUT_PRIVILEGES = ["setpriv", "--no-new-privs", "--"];

const assignments = (environment: Named["environment"]) =>
  Object.entries(environment).map(([name, value]) => `${name}=${value}`);

/**
 * The whole call: the limits' program, then the holder that waits until the limits are read back, then the command.
 * Under the system manager the scope is made over D-Bus around a shim, and this is what the shim then runs.
 * `systemd-run` and `prlimit` are found in the PATH of the command's own environment, which is nixgate's: their place
 * differs between distributions, and only root writes to any of those folders.
 */
export function commandLine(plan: Named, limits: Limits, holder: string): readonly [string, ...string[]] {
  if (plan.manager === "system")
    return ["env", "-i", ...assignments(plan.environment), ...WITHOUT_PRIVILEGES, ...plan.argv];
  const held = (kind: "scope" | "process") => ["/bin/sh", holder, kind, ...WITHOUT_PRIVILEGES, ...plan.argv];
  return plan.manager === "none"
    ? ["prlimit", ...resourceLimits(limits), "--", ...held("process")]
    : ["systemd-run", ...scopeOptions(plan), "--", ...held("scope")];
}

/**
 * systemd-run(1). The description is given because the default is the whole command line, visible to everybody.
 * Without `--quiet` it names the invocation id on stderr, which is a pipe to nixgate at that time.
 */
function scopeOptions(plan: Named): readonly string[] {
  return [
    "--user",
    "--scope",
    "--collect",
    `--unit=${plan.unit}`,
    `--slice=${plan.slice}`,
    `--description=${plan.description}`,
    ...plan.properties.map(({ name, value }) => `--property=${name}=${value}`),
    // systemd 262 expands $VAR in a scope's arguments, up to 253 the option is not known: only where it matters
    ...(plan.argv.some((word) => word.includes("$")) ? [EXPAND_NOTHING] : []),
  ];
}

/**
 * prlimit(1), getrlimit(2): all there is without a cgroup, and for each process alone. A limit that is "infinity" is left
 * as it is: raising a hard limit takes CAP_SYS_RESOURCE.
 */
function resourceLimits(limits: Limits): readonly string[] {
  const bounds = limitRows.flatMap(({ name, rlimit }) =>
    rlimit && typeof limits[name] === "number" ? [`--${rlimit.option}=${limits[name]}`] : [],
  );
  return ["--core=0", ...bounds];
}
