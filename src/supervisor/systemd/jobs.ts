import type { Message } from "dbus-native";
import * as z from "zod/mini";

const MANAGER = "org.freedesktop.systemd1.Manager";

/** The body of JobRemoved, `uoss` of org.freedesktop.systemd1(5): number, job, unit, result. */
export const JobRemoved = z.tuple([z.number(), z.string(), z.string(), z.string()]);

/** systemd reports the end of a job by a signal, which may arrive before the call's own answer has been read. */
export function jobsOf() {
  const over = new Map<string, string>();
  let asking = 0;
  const waiting = new Map<string, (result: string) => void>();
  return {
    heard({ interface: from, member, body }: Message): void {
      if (from !== MANAGER || member !== "JobRemoved") return;
      const [, job, unit, result] = JobRemoved.parse(body);
      if (!unit.startsWith("nixgate-")) return;
      const wait = waiting.get(job);
      waiting.delete(job);
      if (wait) wait(result);
      else if (asking > 0) over.set(job, result); // the caller is known when its answer has come
    },
    /** Remembers ended jobs while a call that begins one runs. */
    async during(call: () => Promise<void>): Promise<void> {
      asking += 1;
      try {
        await call();
      } finally {
        asking -= 1;
        if (asking === 0) over.clear();
      }
    },
    /** The result of the job. Only one caller may wait for a job. */
    done(job: string): Promise<string> {
      const said = over.get(job);
      over.delete(job);
      if (said !== undefined) return Promise.resolve(said);
      return new Promise<string>((done) => waiting.set(job, done));
    },
    forget: (job: string) => void waiting.delete(job),
  };
}
