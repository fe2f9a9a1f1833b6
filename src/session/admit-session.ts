import { hostBusy, hostFull, type Objection, teamBusy, tooManyStarts } from "../decision/admit.ts";
import { digest } from "../units/digest.ts";
import { ExitStatus } from "../units/exit-status.ts";
import type { SessionId, TeamName } from "../units/ids.ts";
import { AdmissionUnavailable } from "./admission-unavailable.ts";
import type { Configuration, SessionRefusal } from "./arrival.ts";
import type { Admission, Place } from "./ports.ts";

type Admitted = Extract<Configuration, { ok: true }>;

/**
 * Takes the session's places, of its team and of the host, for as long as this process lives.
 * @returns why there is none for it now; it then holds no place
 */
export async function admitSession(
  session: SessionId,
  configuration: Admitted,
  admission: Admission,
): Promise<SessionRefusal | undefined> {
  const held: Place[] = [];
  const refusal = await refusalOf(session, configuration, admission, held);
  if (refusal) for (const place of held) place.giveBack();
  return refusal;
}

async function refusalOf(
  session: SessionId,
  configuration: Admitted,
  admission: Admission,
  held: Place[],
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
  { directory, host: { admission: bounds }, policy: { team, session: rules } }: Admitted,
  admission: Admission,
  held: Place[],
): Promise<Objection | undefined> {
  const take = async (name: string, most: number) => {
    const place = await admission.takePlace(name, most);
    if (place) held.push(place);
    return place !== undefined;
  };
  const teams = countedAs(directory, team);
  if (!(await take(teams, rules.maxConcurrent))) return teamBusy(rules);
  const starts = admission.countStart(teams, session, rules.maxStartsPerMinute);
  const objection = tooManyStarts(starts, session, rules) ?? hostBusy(admission.hostState(), bounds);
  if (objection) return objection;
  return (await take(countedAs(directory), bounds.maxSessions)) ? undefined : hostFull(bounds);
}

/** The name to count under. Two configurations on one host are two hosts: a trial takes no place of the real one's. */
function countedAs(directory: string, team?: TeamName): string {
  const configuration = digest(directory, "hex").slice(0, 12);
  return team === undefined ? `host@${configuration}` : `team-${team}@${configuration}`;
}
