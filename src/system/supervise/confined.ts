import { basename, dirname } from "node:path";
import type { Plan } from "../../scope/plan.ts";
import { answerToEnd, answerToRun, answerToWait } from "../../session/front-answers.ts";
import type { OpenScope } from "../../session/ports.ts";
import { ScopeUnavailable } from "../../session/scope-unavailable.ts";
import { ExitStatus } from "../../units/exit-status.ts";
import { accountOf } from "../accounts.ts";
import { killAllBut, killWhole, MOUNT } from "../cgroup.ts";
import { cgroupScope, type Known } from "../cgroup-scope.ts";
import { endOf, heldBy, letRun, type Seen, stopsOf } from "./exit-of.ts";
import type { Fifo } from "./fifos.ts";
import { holdStreams } from "./front-streams.ts";
import type { Insiders } from "./insiders.ts";
import { limitSlice } from "./limit-slice.ts";
import type { Supervisor } from "./supervisor.ts";
import type { Talk } from "./talk.ts";

const NOTHING = { told: [], started: 0 };
/** How long the front outside may take to ask again, in milliseconds; it does nothing in between. */
const ASKS_WITHIN_MS = 10_000;

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
  if ((await outside.asked(ASKS_WITHIN_MS)) === undefined || !(await outside.still()))
    throw new ScopeUnavailable("the front is gone");
  const streams = holdStreams(outside.front, fifo.uid);
  const comes = insiders.comes(cgroup);
  const service = { name, slice, description, properties, user, argv, streams: streams.paths, confinement };
  try {
    await manager.startService(service).finally(streams.close);
    const inside = await comes;
    if (!inside || !(await inside.still()))
      throw new ScopeUnavailable("the service has not begun: is /run/nixgate there, and setpriv(1)?");
    const folder = MOUNT + cgroup;
    const [invocation, appliedToTeam] = await Promise.all([
      manager.invocationOf(name),
      limitSlice(plan, dirname(folder), manager),
    ]);
    return confinedScope(plan, folder, outside, inside, supervisor, { openedAt, invocation, appliedToTeam });
  } catch (error) {
    killWhole(MOUNT + cgroup); // systemd may have begun it all the same
    void comes.then((inside) => inside && leave(inside, insiders));
    throw error;
  }
}

/** Also for a service that another supervisor started. */
export function confinedScope(
  plan: Plan,
  folder: string,
  outside: Talk,
  inside: Talk,
  { manager, insiders }: Pick<Supervisor, "manager" | "insiders">,
  known: Known,
): OpenScope {
  const seen: Seen = {};
  return cgroupScope(plan, folder, {
    ...known,
    ...heldBy(inside),
    ...stopsOf(basename(folder), seen, manager),
    exited: endOf(inside, plan, seen), // systemd takes the rest of a service whose first process was killed
    begin: () => letRun(inside, () => answerToRun(plan, outside.unsaid())),
    release: () => release(inside, folder, insiders),
  });
}

async function release(inside: Talk, folder: string, insiders: Insiders): Promise<void> {
  killAllBut(inside.front.pid, folder);
  await inside.finish(() => answerToEnd(ExitStatus.ok, NOTHING));
  await leave(inside, insiders);
}

async function leave(inside: Talk, insiders: Insiders): Promise<void> {
  await inside.end();
  insiders.left(inside);
}
