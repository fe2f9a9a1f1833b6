import { constants } from "node:os";
import { dirname } from "node:path";
import type { Exit } from "../../ending/ending.ts";
import type { Plan } from "../../scope/plan.ts";
import { isInForce } from "../../scope/properties.ts";
import { answerToRun } from "../../session/front-answers.ts";
import type { OpenScope, Scopes } from "../../session/ports.ts";
import { ScopeUnavailable } from "../../session/scope-unavailable.ts";
import { cgroupOf, killAllBut, moveTo, readCgroupFile } from "../cgroup.ts";
import { cgroupScope } from "../cgroup-scope.ts";
import { clock } from "../clock.ts";
import type { SystemManager } from "./system-manager.ts";
import type { Talk } from "./talk.ts";

/** Scopes of the system manager around a front that stands still: it runs the command as its child, and holds the scope. */
export function scopesOfFront(talk: Talk, manager: SystemManager): Scopes {
  const { pid } = talk.front;
  return {
    async open(plan) {
      const openedAt = clock.monotonic();
      if (!(await talk.still())) throw new ScopeUnavailable("the front does not stand still");
      const { unit: name, slice, description, properties } = plan;
      await manager.startScope({ name, slice, description, properties, pid });
      const folder = cgroupOf(pid);
      if (!folder?.endsWith(`/${slice}/${name}`))
        throw new ScopeUnavailable(`the front is not in ${name}: is cgroup v2 in use?`);
      const [invocation] = await Promise.all([manager.invocationOf(name), limitSlice(plan, dirname(folder), manager)]);
      return scopeAround(talk, plan, folder, { openedAt, invocation });
    },
  };
}

/** The scope as the story sees it; also for a front that was in it before this supervisor started. */
export function scopeAround(
  talk: Talk,
  plan: Plan,
  folder: string,
  known: Pick<OpenScope, "openedAt" | "begunAt" | "invocation">,
): OpenScope {
  const { pid } = talk.front;
  return cgroupScope(plan, folder, {
    ...known,
    pid,
    holder: pid,
    isolation: "scope-system",
    // as OOMPolicy=stop has it, systemd's default from 253 on; but its SIGKILL would take the front too, and comes later
    stopsOnOom: true,
    exited: endOf(talk),
    begin: () => void talk.answer((said) => answerToRun(plan, said)),
    // The front has something to say yet, or another line to read: outside the scope, which then is gone.
    async release() {
      killAllBut(pid, folder);
      moveTo(talk.front.cgroup, pid);
    },
  });
}

async function endOf(talk: Talk): Promise<Exit> {
  const ask = await talk.asked();
  return ask?.status === undefined ? { signal: "SIGKILL" } : exitOf(ask.status);
}

/**
 * What sh made of the command's end: 128 + the signal's number (XCU 2.8.2). A command that exits with such a status by
 * itself is taken for one that a signal ended; sh does not tell the two apart.
 */
export function exitOf(status: number): Exit {
  const signal = Object.entries(constants.signals).find(([, number]) => number === status - 128)?.[0];
  return signal === undefined ? { code: status } : { signal: signal as NodeJS.Signals };
}

/** Gives the team's slice its limits where it does not have them; whether they are in force is read back afterwards. */
async function limitSlice({ slice, team }: Plan, folder: string, manager: SystemManager): Promise<void> {
  if (team.expectations.every((expectation) => isInForce(expectation, readCgroupFile(folder, expectation.file))))
    return;
  await manager.setProperties(slice, team.properties);
}
