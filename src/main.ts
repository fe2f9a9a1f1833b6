import { HOST } from "./compose/host.ts";
import { RECORDS } from "./compose/records.ts";
import { run } from "./compose/run.ts";
import { SERVING } from "./compose/serving.ts";
import { SESSION } from "./compose/session.ts";

run({ ...SESSION, ...SERVING, ...HOST, ...RECORDS });
