import type { Admission, LogRoom } from "../session/ports.ts";
import { clock } from "../system/kernel/clock.ts";
import { hostRoom, hostState } from "../system/kernel/host-state.ts";
import type { SessionId } from "../units/ids.ts";

const MINUTE_MS = 60_000;

/**
 * Counts sessions in the memory of the one process that admits them. The count is exact, and no other process can take
 * slots.
 */
export function tally(logRoom?: LogRoom, now: () => number = clock.monotonic): Admission {
  const taken = new Map<string, number>();
  const starts = new Map<string, readonly { readonly session: SessionId; readonly at: number }[]>();
  return {
    async takeSlot(name, most) {
      const count = taken.get(name) ?? 0;
      if (count >= most) return undefined;
      taken.set(name, count + 1);
      let held = true;
      return {
        giveBack() {
          if (held) taken.set(name, (taken.get(name) ?? 1) - 1);
          held = false;
        },
      };
    },
    // a sliding window of 60 seconds, because no other process has to agree with it
    countStart(name, session, most) {
      const at = now();
      const recent = (starts.get(name) ?? []).filter((start) => at - start.at < MINUTE_MS);
      const list = recent.length < most ? [...recent, { session, at }] : recent;
      starts.set(name, list);
      return list.map((start) => start.session);
    },
    hostState,
    ...hostRoom,
    ...(logRoom && { logRoom }),
  };
}
