import { existsSync } from "node:fs";
import { examplePolicies } from "../files/example-policies.ts";
import { Interrupted, openWorkshop } from "../files/workshop.ts";
import { findProgram } from "../kernel/programs.ts";
import { write } from "../terminal/output.ts";

/**
 * The system operations of `nixgate demo`.
 * @param nixgate the absolute path of bin/nixgate
 * @param policies the folder of the example policies
 */
export function demoPorts(nixgate: string, policies: string) {
  const uid = process.getuid?.() ?? 0;
  const socket = `/run/user/${uid}/systemd/private`; // systemd --user listens here for its own clients
  return {
    say: (line: string) => write(1, `${line}\n`),
    findProgram,
    nixgate,
    examplePolicy: () => examplePolicies(policies).get("ci") ?? "",
    userManager: { socket, isThere: existsSync(socket) },
    openWorkshop,
    isInterruption: (error: unknown) => error instanceof Interrupted,
  };
}
