import { type Message, variantValue } from "dbus-native";
import * as z from "zod/mini";
import type { EndedBy } from "../../ending/ending.ts";

const PATH = "/org/freedesktop/systemd1";
const MANAGER = "org.freedesktop.systemd1.Manager";

/**
 * A unit's path on the bus: a character that is no letter or digit is written as _ and two hex digits
 * (sd_bus_path_encode(3)).
 */
export const objectOf = (unit: string): string =>
  `${PATH}/unit/${unit.replace(/[^A-Za-z0-9]/g, (character) => `_${character.charCodeAt(0).toString(16).padStart(2, "0")}`)}`;

/** Result= of systemd.scope(5) and systemd.service(5): RuntimeMaxSec=, OOMPolicy= and systemd-oomd(8). */
export const ENDED_BY: Readonly<Record<string, EndedBy>> = { timeout: "timeout", "oom-kill": "oom" };

export const kindOf = (unit: string) => (unit.endsWith(".service") ? "Service" : "Scope");

/** The body of JobNew, `uos`: number, job, unit. */
const JobNew = z.tuple([z.number(), z.string(), z.string()]);

/** What each way down needs: systemctl poweroff, reboot, kexec and soft-reboot (systemd.special(7)). */
const SHUTDOWN = "shutdown.target";

/** systemd's signals about watched units. Over its private socket systemd sends all signals to every client. */
export function stopsHeard() {
  interface Watched {
    readonly callback: () => void;
    isStopped: boolean;
    result?: string;
  }
  const byUnit = new Map<string, Watched>();
  const byPath = new Map<string, Watched>();
  const onShutdown: (() => void)[] = [];
  return {
    heard({ interface: from, member, path, body }: Message): void {
      if (from === MANAGER && member === "JobNew") {
        const [, , unit] = JobNew.parse(body);
        if (unit === SHUTDOWN) for (const callback of onShutdown) callback();
        const watched = byUnit.get(unit);
        if (!watched || watched.isStopped) return;
        watched.isStopped = true;
        watched.callback();
      }
      const changed = member === "PropertiesChanged" && path !== undefined ? byPath.get(path) : undefined;
      const said = changed && (body?.[1] as Readonly<Record<string, unknown>> | undefined)?.["Result"];
      const result = said === undefined ? undefined : String(variantValue(said));
      if (changed && result !== undefined && result !== "success") changed.result = result;
    },
    watchShutdown: (callback: () => void) => void onShutdown.push(callback),
    watch(unit: string, callback: () => void): () => void {
      const watched: Watched = { callback, isStopped: false };
      byUnit.set(unit, watched);
      byPath.set(objectOf(unit), watched);
      return () => {
        byUnit.delete(unit);
        byPath.delete(objectOf(unit));
      };
    },
    isStopped: (unit: string) => byUnit.get(unit)?.isStopped === true,
    resultOf: (unit: string) => byUnit.get(unit)?.result,
  };
}
