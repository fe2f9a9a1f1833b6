import { hostBusy, hostFull, logFull, type Objection, teamBusy, tooManyStarts } from "../decision/admit.ts";
import { shortOfRoom } from "../decision/host-room.ts";
import type { Policy } from "../policy/policy.ts";
import { digest } from "../units/digest.ts";
import { ExitStatus } from "../units/exit-status.ts";
import type { SessionId, TeamName } from "../units/ids.ts";
import { AdmissionUnavailable } from "./admission-unavailable.ts";
import type { ReadyConfiguration } from "./configuration.ts";
import type { Admission, Slot } from "./ports.ts";
import type { SessionRefusal } from "./refusal.ts";

/** The slots of the team and of the host that a session holds, or the reason why it got none. */
export type Admittance =
  | { readonly ok: true; giveBack(): void }
  | { readonly ok: false; readonly refusal: SessionRefusal };

/** Takes the slots of a session. A process that serves only one session may exit without returning them. */
export async function admitSession(
  session: SessionId,
  configuration: ReadyConfiguration,
  admission: Admission,
): Promise<Admittance> {
  const held: Slot[] = [];
  const giveBack = () => {
    for (const slot of held) slot.giveBack();
  };
  const refusal = await refusalOf(session, configuration, admission, held);
  if (!refusal) return { ok: true, giveBack };
  giveBack();
  return { ok: false, refusal };
}

/** Takes the slots of a session that already runs, even where the bounds are now lower. */
export async function readmitSession(
  { directory, policy: { team } }: Pick<ReadyConfiguration, "directory"> & { readonly policy: Pick<Policy, "team"> },
  admission: Admission,
): Promise<{ giveBack(): void }> {
  const names = [countedAs(directory, team), countedAs(directory)];
  const slots = await Promise.all(names.map((name) => admission.takeSlot(name, Number.POSITIVE_INFINITY)));
  return {
    giveBack() {
      for (const slot of slots) slot?.giveBack();
    },
  };
}

async function refusalOf(
  session: SessionId,
  configuration: ReadyConfiguration,
  admission: Admission,
  held: Slot[],
): Promise<SessionRefusal | undefined> {
  try {
    const objection = await objectionTo(session, configuration, admission, held);
    return objection && { ...objection, status: ExitStatus.busy };
  } catch (error) {
    if (!(error instanceof AdmissionUnavailable)) throw error;
    return { reason: "host-busy", message: error.message, status: error.exitStatus };
  }
}

async function objectionTo(
  session: SessionId,
  { directory, host: { admission: bounds, log }, policy: { team, session: rules } }: ReadyConfiguration,
  admission: Admission,
  held: Slot[],
): Promise<Objection | undefined> {
  if (admission.logRoom?.(log.directory, team, Date.now(), bounds.minFreeLog) === false) return logFull;
  const take = async (name: string, most: number) => {
    const slot = await admission.takeSlot(name, most);
    if (slot) held.push(slot);
    return slot !== undefined;
  };
  const teams = countedAs(directory, team);
  if (!(await take(teams, rules.maxConcurrent))) return teamBusy(rules);
  const starts = admission.countStart(teams, session, rules.maxStartsPerMinute);
  const objection =
    tooManyStarts(starts, session, rules) ?? hostBusy(admission.hostState(), bounds) ?? shortOfRoom(bounds, admission);
  if (objection) return objection;
  return (await take(countedAs(directory), bounds.maxSessions)) ? undefined : hostFull(bounds);
}

/**
 * The name to count under. Each configuration folder counts as its own host, so a trial takes no slot of the real one.
 */
function countedAs(directory: string, team?: TeamName): string {
  const configuration = digest(directory, "hex").slice(0, 12);
  return team === undefined ? `host@${configuration}` : `team-${team}@${configuration}`;
}
