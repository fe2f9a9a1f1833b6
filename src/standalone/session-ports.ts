import type { SessionPorts } from "../session/ports.ts";
import { clock } from "../system/kernel/clock.ts";
import { hostRoom, hostState } from "../system/kernel/host-state.ts";
import { newSessionId } from "../system/kernel/machine.ts";
import { problemWithProgram } from "../system/kernel/program-look.ts";
import { openRecovery } from "../system/lost/recovery.ts";
import { logRoom } from "../system/session/log-room.ts";
import { sessionRecords } from "../system/session/session-records.ts";
import { toPid } from "../units/ids.ts";
import type { Milliseconds } from "../units/quantities.ts";
import { clientOf } from "./client.ts";
import { requestsFor } from "./requests.ts";
import { scopes } from "./scopes.ts";
import { createSlots } from "./slots.ts";
import { createStartCounter } from "./starts.ts";

/**
 * The ports of a session that has its own process.
 * @param clientGoneGrace the interval for detecting a lost client is derived from it
 */
export function sessionPorts(clientGoneGrace: Milliseconds): SessionPorts {
  const client = clientOf(toPid(process.ppid), clientGoneGrace);
  const admission = { takeSlot: createSlots(), countStart: createStartCounter(), hostState, ...hostRoom, logRoom };
  const requests = requestsFor(client.tell);
  const recovery = openRecovery();
  const programs = { problemWith: (path: string) => problemWithProgram(path) };
  return { clock, newSessionId, admission, requests, programs, scopes, client, records: sessionRecords(), recovery };
}
