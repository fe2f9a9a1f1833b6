import { unitCgroup } from "../../scope/names.ts";
import type { Plan } from "../../scope/plan.ts";
import type { OpenScope } from "../../session/ports.ts";
import { ScopeUnavailable } from "../../session/scope-unavailable.ts";
import { answerToEnd, answerToRun, answerToWait } from "../../session/shim-answers.ts";
import { accountOf } from "../../system/accounts/accounts.ts";
import { killAllBut, killWhole, MOUNT } from "../../system/cgroup/cgroup.ts";
import { cgroupScope } from "../../system/cgroup/cgroup-scope.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { unitsBeside } from "../builds/build-units.ts";
import { prepareBuilds } from "../builds/command-builds.ts";
import { connectionUnit } from "../connection.ts";
import type { ServedShim } from "../served-shim.ts";
import type { Supervisor } from "../supervisor.ts";
import type { ConfinedShims } from "./confined-shims.ts";
import { commandOfShim, endOf, heldBy, letRun, type Seen, type ShimScope, stopsOf } from "./exit-of.ts";
import { madeScope } from "./made-scope.ts";
import type { ShimChannel } from "./shim-channel.ts";
import { holdStreams } from "./shim-streams.ts";

type ConfinedPlan = Plan & { readonly confinement: NonNullable<Plan["confinement"]> };

const NOTHING = { told: [], started: 0 };
/** The timeout for the next line of the outer shim, in milliseconds. It does nothing before that line. */
const ASKS_WITHIN_MS = 10_000;

/**
 * A service in place of a scope. systemd gives it the sandbox, the account and the streams of the stopped outer shim.
 * Its program is a shim again, which runs the command as its child and reports its end in the same way.
 * @param argv the inner shim; systemd expands words with `$` or `%`, so none of them may be the account's text
 * @param outside the shim that sshd has started, and its team's FIFO
 */
export async function openConfined(
  plan: ConfinedPlan,
  { argv, openedAt }: { readonly argv: readonly [string, ...string[]]; readonly openedAt: number },
  { talk: outside, fifo }: Pick<ServedShim, "talk" | "fifo">,
  supervisor: Supervisor,
): Promise<OpenScope> {
  const { manager, confinedShims } = supervisor;
  const { unit: name, slice, description, unitProperties: properties, confinement } = plan;
  const user = accountOf(fifo.uid)?.name;
  if (user === undefined) throw new ScopeUnavailable(`uid ${fifo.uid} has no account`);
  const cgroup = unitCgroup(plan.team.slice, slice, name);
  if (plan.buildDaemon) prepareBuilds(plan.buildDaemon, fifo.gid);
  const beside = unitsBeside(plan, fifo.gid);
  // Even if this supervisor dies, the command must not run twice on the same streams.
  await outside.answer(answerToWait);
  if ((await outside.asked(ASKS_WITHIN_MS)) === undefined || !(await outside.still()))
    throw new ScopeUnavailable("the shim has ended");
  const streams = holdStreams(outside.shim, fifo.uid);
  const comes = confinedShims.comes(cgroup);
  const connection = connectionUnit(outside.shim.parent);
  const service = {
    name,
    slice,
    description,
    properties,
    user,
    argv,
    streams: streams.paths,
    confinement,
    beside,
    connection,
  };
  try {
    await manager.startService(service).finally(streams.close);
    const inside = await comes;
    if (!inside || !(await inside.still()))
      throw new ScopeUnavailable("the service did not start: check that /run/nixgate and setpriv(1) exist");
    const made = await madeScope(plan, MOUNT + cgroup, openedAt, supervisor);
    const begin = () => letRun(inside, () => answerToRun(plan, outside.unsaid()));
    return confinedScope(inside, { ...made, begin }, supervisor);
  } catch (error) {
    killWhole(MOUNT + cgroup); // systemd may have started it anyway
    void comes.then((inside) => inside && endInside(inside, confinedShims));
    throw error;
  }
}

/** Also for a service that another supervisor started. */
export function confinedScope(
  inside: ShimChannel,
  made: ShimScope,
  { manager, confinedShims }: Pick<Supervisor, "manager" | "confinedShims">,
): OpenScope {
  const { folder, program } = made;
  const seen: Seen = {};
  const exited = endOf(inside, program, seen); // systemd ends the rest of a service whose first process was killed
  const command = commandOfShim(made, exited);
  return cgroupScope(folder, {
    ...made,
    ...heldBy(inside),
    ...stopsOf(made.unit, seen, manager),
    exited,
    begin: command.begin,
    async release() {
      if (command.isRunning()) inside.shim.signal("SIGKILL"); // the command could not be ended
      await release(inside, folder, confinedShims);
    },
  });
}

async function release(inside: ShimChannel, folder: string, confinedShims: ConfinedShims): Promise<void> {
  killAllBut(inside.shim.pid, folder);
  await inside.finish(() => answerToEnd(ExitStatus.ok, NOTHING));
  await endInside(inside, confinedShims);
}

async function endInside(inside: ShimChannel, confinedShims: ConfinedShims): Promise<void> {
  await inside.end();
  confinedShims.left(inside);
}
