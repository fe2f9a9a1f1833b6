import { runCommandLine } from "./compose/run.ts";
import { SESSION_COMMANDS } from "./compose/session.ts";

// This is a bundle of its own. At start V8 scans every function of a text, and the other commands have many.
runCommandLine(SESSION_COMMANDS);
