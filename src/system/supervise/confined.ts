import { dirname } from "node:path";
import type { Exit } from "../../ending/ending.ts";
import type { Plan } from "../../scope/plan.ts";
import { answerToEnd, answerToRun, answerToWait } from "../../session/front-answers.ts";
import type { OpenScope } from "../../session/ports.ts";
import { ScopeUnavailable } from "../../session/scope-unavailable.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import type { Milliseconds } from "../../units/quantities.ts";
import { accountOf } from "../accounts.ts";
import { killAllBut, killWhole, MOUNT } from "../cgroup.ts";
import { cgroupScope, type Known } from "../cgroup-scope.ts";
import { endOf, heldBy, letRun } from "./exit-of.ts";
import type { Fifo } from "./fifos.ts";
import { holdStreams } from "./front-streams.ts";
import type { Insiders } from "./insiders.ts";
import { limitSlice } from "./limit-slice.ts";
import { inRounds } from "./rounds.ts";
import type { Supervisor } from "./supervisor.ts";
import type { Talk } from "./talk.ts";

const NOTHING = { told: [], started: 0 };
/** How often it is looked whether the front inside is still there. */
const LOOK = 250 as Milliseconds;

/**
 * A service in the scope's place: systemd gives it the sandbox, the account and the streams of the front that stands
 * still outside. What it starts is a front again, which runs the command as its child and reports its end in the same way.
 * @param argv the front inside; systemd expands what begins with `$` or `%`, so nothing of it is the account's own text
 * @param outside the front that sshd has started
 */
export async function confined(
  plan: Plan,
  confinement: NonNullable<Plan["confinement"]>,
  argv: readonly [string, ...string[]],
  openedAt: number,
  outside: Talk,
  fifo: Fifo,
  supervisor: Supervisor,
): Promise<OpenScope> {
  const { manager, insiders } = supervisor;
  const { unit: name, slice, description, unitProperties: properties } = plan;
  const user = accountOf(fifo.uid)?.name;
  if (user === undefined) throw new ScopeUnavailable(`uid ${fifo.uid} has no account`);
  const cgroup = `/nixgate.slice/${slice}/${name}`;
  // Whatever becomes of this supervisor, the command must not run twice on the same streams.
  await outside.answer(answerToWait);
  if ((await outside.asked()) === undefined || !(await outside.still()))
    throw new ScopeUnavailable("the front is gone");
  const streams = holdStreams(outside.front);
  const comes = insiders.comes(cgroup);
  try {
    await manager.startService({
      name,
      slice,
      description,
      properties,
      user,
      argv,
      streams: streams.paths,
      confinement,
    });
  } catch (error) {
    killWhole(MOUNT + cgroup); // systemd may have begun it all the same
    throw error;
  } finally {
    streams.close();
  }
  const inside = await comes;
  if (!inside || !(await inside.still())) {
    killWhole(MOUNT + cgroup);
    throw new ScopeUnavailable("the service has not begun: is /run/nixgate there, and setpriv(1)?");
  }
  const folder = MOUNT + cgroup;
  const [invocation, appliedToTeam] = await Promise.all([
    manager.invocationOf(name),
    limitSlice(plan, dirname(folder), manager),
  ]);
  return confinedScope(plan, folder, outside, inside, insiders, { openedAt, invocation, appliedToTeam });
}

/** Also for a service that another supervisor started. */
export function confinedScope(
  plan: Plan,
  folder: string,
  outside: Talk,
  inside: Talk,
  insiders: Insiders,
  known: Known,
): OpenScope {
  return cgroupScope(plan, folder, {
    ...known,
    ...heldBy(inside),
    exited: ended(inside, plan),
    begin: () => letRun(inside, () => answerToRun(plan, outside.unsaid())),
    release: () => release(inside, folder, insiders),
  });
}

async function release(inside: Talk, folder: string, insiders: Insiders): Promise<void> {
  killAllBut(inside.front.pid, folder);
  await inside.finish(() => answerToEnd(ExitStatus.ok, NOTHING));
  await inside.end();
  insiders.left(inside);
}

/** systemd takes the rest of a service whose first process was killed; nobody else would say that it is gone. */
async function ended(inside: Talk, plan: Plan): Promise<Exit> {
  const stop = inRounds(LOOK, () => inside.front.isThere() || inside.lost());
  const exit = await endOf(inside, plan);
  stop();
  return exit;
}
