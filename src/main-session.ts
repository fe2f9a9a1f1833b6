import { run } from "./compose/run.ts";
import { SESSION } from "./compose/session.ts";

// This is a bundle of its own. At start V8 scans every function of a text, and the other commands have many.
run(SESSION);
