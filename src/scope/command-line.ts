import { limitRows } from "../policy/limits.ts";
import type { Limits, Manager } from "../policy/policy.ts";
import type { Property } from "./properties.ts";

/** Passes the command's words unchanged. systemd-run has the option since version 254. */
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
 * setpriv(1): no set-user-ID program gives the command more privileges than its account has. Under the account's own
 * manager, nixgate could also not signal a process of another account (kill(2)).
 */
const WITHOUT_PRIVILEGES = ["setpriv", "--no-new-privs", "--"];

const assignments = (environment: Named["environment"]) =>
  Object.entries(environment).map(([name, value]) => `${name}=${value}`);

/**
 * The whole command line: the program that sets the limits, then the holder, then the command. The holder waits until
 * the limits are read back. Under the system manager nixgate makes the scope around a shim over D-Bus, and the shim
 * then runs this command line. `systemd-run` and `prlimit` are found in the PATH of the command's environment, which
 * nixgate sets. Their directory differs between distributions, and only root writes to any directory in that PATH.
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
 * The options of systemd-run(1). The default description is the whole command line, visible to every account, so
 * nixgate sets its own. Without `--quiet` systemd-run prints the invocation id on stderr, a pipe to nixgate at that
 * time.
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
    // systemd 262 expands $VAR in a scope's arguments; systemd up to 253 does not know the option. So only a `$` needs
    // it.
    ...(plan.argv.some((word) => word.includes("$")) ? [EXPAND_NOTHING] : []),
  ];
}

/**
 * The limits for prlimit(1), getrlimit(2): without a cgroup there are no others, and they hold for each process alone.
 * A limit of "infinity" is left unchanged, because raising a hard limit takes CAP_SYS_RESOURCE.
 */
function resourceLimits(limits: Limits): readonly string[] {
  const bounds = limitRows.flatMap(({ name, rlimit }) =>
    rlimit && typeof limits[name] === "number" ? [`--${rlimit.option}=${limits[name]}`] : [],
  );
  return ["--core=0", ...bounds];
}
