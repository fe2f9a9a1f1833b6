import { unitCgroup } from "../../scope/names.ts";
import type { OpenScope, Scopes } from "../../session/ports.ts";
import { ScopeUnavailable } from "../../session/scope-unavailable.ts";
import { answerToRun } from "../../session/shim-answers.ts";
import { cgroupOf, hasCgroup2, killAllBut, MOUNT, notInUnit } from "../../system/cgroup/cgroup.ts";
import { cgroupScope } from "../../system/cgroup/cgroup-scope.ts";
import { clock } from "../../system/kernel/clock.ts";
import { unitsBeside } from "../builds/build-units.ts";
import { prepareBuilds } from "../builds/command-builds.ts";
import { connectionUnit } from "../connection.ts";
import type { ServedShim } from "../served-shim.ts";
import type { Supervisor } from "../supervisor.ts";
import { moved, type WaitingScopes } from "../waiting-shims.ts";
import { openConfined } from "./confined.ts";
import { commandOfShim, endOf, heldBy, letRun, type Seen, type ShimScope, stopsOf } from "./exit-of.ts";
import { madeScope } from "./made-scope.ts";
import type { ShimChannel } from "./shim-channel.ts";

/**
 * The system manager's scopes around a stopped shim. The shim runs the command as its child, and keeps the scope alive.
 */
export function scopesOfShim(
  guest: ServedShim,
  member: string | undefined,
  waiting: WaitingScopes,
  supervisor: Supervisor,
): Scopes {
  const { talk, fifo } = guest;
  const { pid } = talk.shim;
  const { manager } = supervisor;
  return {
    async open(plan) {
      const openedAt = clock.monotonic();
      if (!(await talk.still())) throw new ScopeUnavailable("the shim does not stop");
      guest.watch ??= supervisor.strays.watch(fifo);
      await supervisor.ipcObjects.settled(fifo);
      if (plan.confinement) {
        const argv = ["/bin/sh", supervisor.shim, fifo.name, member ?? ""] as const;
        await waiting.enter();
        return openConfined({ ...plan, confinement: plan.confinement }, { argv, openedAt }, guest, supervisor);
      }
      const { unit: name, slice, description, unitProperties: properties } = plan;
      const connection = connectionUnit(talk.shim.parent);
      if (plan.buildDaemon) prepareBuilds(plan.buildDaemon, fifo.gid);
      const beside = unitsBeside(plan, fifo.gid);
      await manager.startScope({ name, slice, description, properties, pid, beside, connection });
      if (!talk.shim.isThere()) throw new ScopeUnavailable("the shim has ended");
      const own = MOUNT + unitCgroup(plan.team.slice, slice, name);
      if (!hasCgroup2() || cgroupOf(pid) !== own) throw new ScopeUnavailable(notInUnit(name));
      moved(guest, own);
      const made = await madeScope(plan, own, openedAt, supervisor);
      const begin = () => letRun(talk, (said) => answerToRun(plan, said));
      return unconfinedScope(talk, { ...made, begin }, manager);
    },
  };
}

/** The scope as the session uses it; also for a shim that was in it before this supervisor started. */
export function unconfinedScope(talk: ShimChannel, made: ShimScope, manager: Supervisor["manager"]): OpenScope {
  const { pid } = talk.shim;
  const { folder, program } = made;
  const seen: Seen = {};
  const exited = endOf(talk, program, seen);
  const command = commandOfShim(made, exited);
  return cgroupScope(folder, {
    ...made,
    ...heldBy(talk),
    ...stopsOf(made.unit, seen, manager),
    exited,
    begin: command.begin,
    // The shim still has to write to its client, or to read another line. It is the account's process, and code of the
    // account may have replaced it, so it stays in a scope of the team's slice until it exits.
    async release() {
      killAllBut(pid, folder);
      // The command could not be ended, and the shim cannot exit with a status of its own.
      if (command.isRunning()) talk.shim.signal("SIGKILL");
    },
  });
}
