import { HOST_COMMANDS } from "./compose/host.ts";
import { RECORD_COMMANDS } from "./compose/records.ts";
import { runCommandLine } from "./compose/run.ts";
import { SERVING_COMMANDS } from "./compose/serving.ts";
import { SESSION_COMMANDS } from "./compose/session.ts";

runCommandLine({ ...SESSION_COMMANDS, ...SERVING_COMMANDS, ...HOST_COMMANDS, ...RECORD_COMMANDS });
