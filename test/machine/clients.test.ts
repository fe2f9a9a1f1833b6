import { realClients } from "./real-clients.ts";
import { test } from "./support.ts";

realClients(test);
