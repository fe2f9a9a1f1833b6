// node test/support/write-readme-tables.ts: writes the tables that are made from the code into README.md. Afterwards
// `npm run format` aligns their columns.
import { writeFileSync } from "node:fs";
import { withCommands } from "./commands-table.ts";
import { README } from "./markdown.ts";
import { withRecordFields } from "./record-fields-table.ts";

writeFileSync("README.md", withRecordFields(await withCommands(README)));
