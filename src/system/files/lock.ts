import { RecordError } from "../../record/error.ts";
import type { Fd } from "../../units/ids.ts";
import { escapeText } from "../../units/text.ts";
import { runProgram } from "../kernel/run.ts";

/** The timeout for a lock that another process holds, in seconds. The holder's work takes milliseconds. */
const LOCK_SECONDS = 10;

/**
 * Calls flock(2) through flock(1). The lock belongs to the open file, which both processes share: it stays after
 * flock(1) has exited, and the kernel releases it when this process ends.
 * @param waits whether a lock that another process holds is waited for
 * @throws RecordError E_LOG_WRITE
 */
export async function lockFile(descriptor: Fd, path: string, waits = true): Promise<void> {
  const how = waits ? ["--wait", String(LOCK_SECONDS)] : ["--nonblock"];
  const status = await runProgram("flock", ["--exclusive", ...how, "3"], {
    files: [descriptor],
    timeoutMs: (LOCK_SECONDS + 5) * 1000,
  });
  if (status === 0) return;
  const shown = escapeText(path);
  throw status === undefined
    ? new RecordError("E_LOG_WRITE", `${shown}: cannot be locked: flock(1) cannot be run`, {
        hint: "install util-linux",
      })
    : new RecordError(
        "E_LOG_WRITE",
        `${shown}: another process holds its lock${waits ? ` for more than ${LOCK_SECONDS} s` : ""}`,
        {
          hint: `see who does: fuser -v ${shown}`,
        },
      );
}
