import { execFile } from "node:child_process";
import { dirname } from "node:path";
import type { EndedBy, Exit } from "../ending/ending.ts";
import { NO_LIMIT_EVENTS } from "../ending/limit-events.ts";
import { EXPAND_NOTHING } from "../scope/command-line.ts";
import type { Plan } from "../scope/plan.ts";
import type { OpenScope, Scopes } from "../session/ports.ts";
import { ScopeUnavailable } from "../session/scope-unavailable.ts";
import { cgroupOf, hasCgroup2, killWhole, notInUnit } from "../system/cgroup/cgroup.ts";
import { applied, appliedIn, cgroupScope, terminate } from "../system/cgroup/cgroup-scope.ts";
import { limitUserSlice } from "../system/cgroup/slice.ts";
import { clock, sleep } from "../system/kernel/clock.ts";
import { endedChildrenCpuMs, processesOfSession, resourceLimit } from "../system/kernel/process-group.ts";
import { signalAll } from "../system/kernel/signals.ts";
import { survivorsOf } from "../system/kernel/survivors.ts";
import { type Launched, launch } from "./launch.ts";

/** Scopes of the account's user manager, and their replacement where there is no manager. */
export const scopes: Scopes = {
  async open(plan) {
    const cpuBefore = endedChildrenCpuMs();
    const launched = await launch(plan).catch((error: unknown) => launchOnOlderSystemd(plan, error));
    return plan.manager === "none" ? withoutManager(plan, launched, cpuBefore) : inCgroup(plan, launched);
  },
};

/** systemd-run before 254 does not know the option, and expands nothing. */
function launchOnOlderSystemd(plan: Plan, error: unknown): Promise<Launched> {
  if (!(error instanceof ScopeUnavailable) || !/unrecognized option .--expand-environment/.test(error.message))
    throw error;
  const [file, ...words] = plan.commandLine;
  words.splice(words.indexOf(EXPAND_NOTHING), 1); // the first one only: the command's own words come after it
  return launch({ ...plan, commandLine: [file, ...words] });
}

async function inCgroup(plan: Plan, launched: Launched): Promise<OpenScope> {
  const folder = cgroupOf(launched.pid);
  // systemd also makes scopes of cgroup v1, which enforce no limits and show no processes
  if (!hasCgroup2() || !folder?.endsWith(`/${plan.slice}/${plan.unit}`)) {
    await launched.release();
    throw new ScopeUnavailable(notInUnit(plan.unit));
  }
  const slice = dirname(folder);
  await limitUserSlice(plan, slice);
  return cgroupScope(folder, {
    ...launched,
    stopTimeout: plan.stopTimeout,
    applied: appliedIn(folder, plan.expectations),
    appliedToTeam: appliedIn(slice, plan.team.expectations),
    isolation: "scope-user",
    endedBy: (exit) => endedBy(exit, plan, launched),
    // systemd-run prints it from version 254 on
    invocation: /invocation ID: ([0-9a-f]{32})/.exec(launched.words)?.[1],
    release: () => {
      killWhole(folder);
      return launched.release();
    },
  });
}

/** The time between systemd's signals to the first and to the last process of a scope, in milliseconds. */
const SIGNALS_ALL_MS = 20;

/** The account's systemd is not asked where the command ends by itself: then the holder received no signal. */
async function endedBy(exit: Exit, { unit, environment }: Plan, { hit }: Launched): Promise<EndedBy | undefined> {
  let signal = await hit();
  if (signal === "" && exit.code !== 0) {
    await sleep(SIGNALS_ALL_MS);
    signal = await hit();
  }
  if (signal === undefined || signal === "") return undefined;
  const said = await stateOf(unit, environment);
  const result = /^Result=(.*)$/m.exec(said)?.[1];
  if (result === "timeout") return "timeout";
  if (result === "oom-kill") return "oom";
  const isLeftAlone = /^ActiveState=active$/m.test(said) && !/^Job=[1-9]/m.test(said);
  return isLeftAlone ? "signal" : "killed-by-admin"; // also where that systemd is being stopped and does not answer
}

/** The timeout of the account's systemd for its answer about a scope, in milliseconds. */
const SAYS_WITHIN_MS = 2000;

async function stateOf(unit: string, environment: Plan["environment"]): Promise<string> {
  const words = ["--user", "show", "-p", "ActiveState", "-p", "Result", "-p", "Job", "--", unit];
  return new Promise((resolve) => {
    execFile("systemctl", words, { env: environment, timeout: SAYS_WITHIN_MS }, (error, stdout) =>
      resolve(error ? "" : stdout),
    );
  });
}

/** Without a cgroup, a process that makes a session of its own (setsid(2)) is not found. docs/limits.md says so. */
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
    limitEvents: () => NO_LIMIT_EVENTS,
  };
}
