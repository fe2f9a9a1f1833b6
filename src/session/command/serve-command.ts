import type { Ending } from "../../ending/ending.ts";
import type { Session } from "../session.ts";
import { finishCommand } from "./finish-command.ts";
import type { AllowedRequest } from "./running-command.ts";
import { type NotBegun, startCommand } from "./start-command.ts";

/** Serves one allowed request: scope, command, ending, records. */
export async function serveCommand(session: Session, request: AllowedRequest): Promise<Ending | NotBegun> {
  const command = await startCommand(session, request);
  if ("failed" in command) return command;
  try {
    const ending = finishCommand(session, command);
    const { host, policy } = session.configuration;
    // the command may answer the client from here on, so the recovery delays nobody
    session.ports.recovery.begin(host.log, policy.team);
    return await ending;
  } finally {
    await command.scope.release();
  }
}
