import { unitCgroup } from "../scope/names.ts";
import { waitingScope } from "../scope/waiting.ts";
import { ScopeUnavailable } from "../session/scope-unavailable.ts";
import { cgroupOf, killWhole, MOUNT } from "../system/cgroup/cgroup.ts";
import type { SessionId, TeamName } from "../units/ids.ts";
import { connectionUnit } from "./connection.ts";
import type { ServedShim } from "./served-shim.ts";
import type { SystemManager } from "./systemd/system-manager.ts";

/**
 * The scopes of a session's shim between two commands. A shim that was in a scope stays in the team's slice until it
 * exits.
 */
export interface WaitingScopes {
  /** Settles when the shim is in such a scope. @throws ScopeUnavailable */
  enter(): Promise<void>;
  /** Ends the session as an administrator does, when systemd stops that scope. The returned function stops watching. */
  watchStop(): () => void;
}

export function waitingOf(
  guest: ServedShim,
  team: TeamName,
  session: SessionId,
  manager: SystemManager,
): WaitingScopes {
  const { shim, still } = guest.talk;
  let n = 0;
  let folder: string | undefined;
  let unit: string | undefined;
  return {
    watchStop: () =>
      unit === undefined ? () => undefined : manager.onStop(unit, () => guest.client?.end("killed-by-admin")),
    async enter() {
      if (folder !== undefined && cgroupOf(shim.pid) === folder) return;
      if (!(await still())) throw new ScopeUnavailable("the shim does not stop");
      n += 1;
      const scope = waitingScope(team, session, n);
      await manager.startScope({ ...scope, pid: shim.pid, connection: connectionUnit(shim.parent) });
      unit = scope.name;
      folder = MOUNT + unitCgroup(scope.slice, scope.slice, scope.name);
      if (cgroupOf(shim.pid) !== folder) throw new ScopeUnavailable(`the shim is not in ${scope.name}`);
      moved(guest, folder);
    },
  };
}

/** Notes the shim's scope. No process may be left in its previous scope. */
export function moved(guest: ServedShim, folder: string): void {
  const before = guest.scope;
  guest.scope = folder;
  if (before !== undefined && before !== folder) killWhole(before);
}
