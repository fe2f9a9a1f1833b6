import type { Unended } from "../../archive/lost/unended.ts";
import type { RecordOf } from "../../record/schema.ts";
import { commandSliceName, sliceCgroup, sliceName, unitCgroup } from "../../scope/names.ts";
import { type SessionId, teamName, toPid } from "../../units/ids.ts";
import type { Fifo } from "../fifos.ts";
import { answersOf, type Supervisor } from "../supervisor.ts";
import type { ShimChannel } from "./shim-channel.ts";
import { type ShimProcess, shimProcessOf } from "./shim-process.ts";

/** The shims of a session that an earlier supervisor served. */
export interface ResumableShims {
  readonly lost: Unended;
  readonly begun: RecordOf<"command.start">;
  readonly unit: string;
  /** The cgroup of the command. */
  readonly cgroup: string;
  /** Whether the command has a slice of its own, for itself and for its builds. */
  readonly boundsBuilds: boolean;
  readonly shim: ShimProcess;
  /** The shim in the command's service, if it is confined. */
  readonly inside: ShimChannel | undefined;
}

/** @returns the shims of a session whose command still runs; undefined for every other */
export async function resumableShimsOf(
  lost: Unended,
  fifo: Fifo,
  supervisor: Supervisor,
): Promise<ResumableShims | undefined> {
  const { start, open } = lost;
  const [begun] = open.values();
  const team = teamName(start.team);
  if (!begun?.unit || !team || start.isolation !== "scope-system") return undefined;
  const boundsBuilds = begun.builds_bounded_by === "session";
  const slice = boundsBuilds ? commandSliceName(team, start.session as SessionId, begun.n) : sliceName(team);
  const cgroup = unitCgroup(sliceName(team), slice, begun.unit);
  const answers = answersOf(fifo, supervisor);
  const isConfined = begun.unit.endsWith(".service");
  const units = `${sliceCgroup(sliceName(team))}/nixgate-${team}-${start.session}-`;
  const isWaitingScope = (now: string) => now.startsWith(units) && now.endsWith("-wait.scope");
  const mayBeIn = (now: string) => (isConfined ? isWaitingScope(now) : now === cgroup);
  const shim = await shimProcessOf(toPid(start.pid), team, fifo.uid, mayBeIn);
  if (typeof shim === "string") return undefined;
  if (start.started_ticks !== undefined && start.started_ticks !== shim.startedTicks) {
    shim.close();
    return undefined;
  }
  const service = { pid: toPid(begun.pid ?? 0), fifo, answers, cgroup };
  const inside = isConfined ? await supervisor.confinedShims.isIn(service) : undefined;
  if (isConfined && !inside) {
    shim.close();
    return undefined;
  }
  return { lost, begun, unit: begun.unit, cgroup, boundsBuilds, shim, inside };
}
