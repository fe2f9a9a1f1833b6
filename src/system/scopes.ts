import { dirname } from "node:path";
import { NO_HITS } from "../ending/limit-hits.ts";
import { EXPAND_NOTHING } from "../scope/command-line.ts";
import type { Plan } from "../scope/plan.ts";
import type { OpenScope, Scopes } from "../session/ports.ts";
import { ScopeUnavailable } from "../session/scope-unavailable.ts";
import { cgroupOf, hasCgroup2, killWhole, notInUnit } from "./cgroup.ts";
import { applied, cgroupScope, terminate } from "./cgroup-scope.ts";
import { clock } from "./clock.ts";
import { type Launched, launch } from "./launch.ts";
import { endedChildrenCpuMs, processesOfSession, resourceLimit } from "./process-group.ts";
import { signalAll } from "./signals.ts";
import { limitSlice } from "./slice.ts";
import { survivorsOf } from "./survivors.ts";

/** Scopes of the account's user manager, and what stands for them where there is no manager. */
export const scopes: Scopes = {
  async open(plan) {
    const cpuBefore = endedChildrenCpuMs();
    const launched = await launch(plan).catch((error: unknown) => launchOnOlderSystemd(plan, error));
    return plan.manager === "none" ? withoutManager(plan, launched, cpuBefore) : inCgroup(plan, launched);
  },
};

/** systemd-run before 254 does not know the option, and expands nothing anyway. */
function launchOnOlderSystemd(plan: Plan, error: unknown): Promise<Launched> {
  if (!(error instanceof ScopeUnavailable) || !/unrecognized option .--expand-environment/.test(error.message))
    throw error;
  const [file, ...words] = plan.commandLine;
  words.splice(words.indexOf(EXPAND_NOTHING), 1); // the first one: the command's own words stand behind it
  return launch({ ...plan, commandLine: [file, ...words] });
}

async function inCgroup(plan: Plan, launched: Launched): Promise<OpenScope> {
  const folder = cgroupOf(launched.pid);
  // systemd makes scopes of cgroup v1 as well, in which nothing is bounded and nobody is found
  if (!hasCgroup2() || !folder?.endsWith(`/${plan.slice}/${plan.unit}`)) {
    await launched.release();
    throw new ScopeUnavailable(notInUnit(plan.unit));
  }
  await limitSlice(plan, dirname(folder));
  return cgroupScope(plan, folder, {
    ...launched,
    isolation: "scope-user",
    // systemd-run names it from version 254 on
    invocation: /invocation ID: ([0-9a-f]{32})/.exec(launched.words)?.[1],
    release: () => {
      killWhole(folder);
      return launched.release();
    },
  });
}

/** Without a cgroup a process that makes a session of its own (setsid(2)) is out of sight: the README says so. */
function withoutManager(plan: Plan, launched: Launched, cpuBefore: number): OpenScope {
  const age = () => clock.monotonic() - launched.openedAt;
  const others = () => processesOfSession(launched.pid, age()).filter((pid) => pid !== launched.holder);
  return {
    ...launched,
    isolation: "process",
    invocation: undefined,
    applied: applied(plan.expectations, (row) => resourceLimit(launched.pid, row)),
    appliedToTeam: undefined,
    others,
    survivors: () => survivorsOf(others()),
    terminate: () => terminate(others()),
    kill: () => signalAll(others(), "SIGKILL"),
    usage: () => ({ cpu_ms: endedChildrenCpuMs() - cpuBefore }),
    hits: () => NO_HITS,
  };
}
