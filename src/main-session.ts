import { run } from "./compose/run.ts";
import { SESSION } from "./compose/session.ts";

// A bundle of its own: to start, V8 must make out every function of the text, and those of the other commands are many.
run(SESSION);
